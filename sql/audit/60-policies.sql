-- Who sees which rows. Nothing but the functions inserts, so no policy lets anybody.

alter table public.user_audits enable row level security;
alter table public.upload_errors enable row level security;

create policy user_audits_select_own on public.user_audits
for select to authenticated
using ((select auth.uid()) in ("userId", "performedBy"));

create policy user_audits_select_admin on public.user_audits
for select to authenticated
using ((select public.has_profile_type('ADMIN', 'SUPER_ADMIN')));

create policy upload_errors_select_own on public.upload_errors
for select to authenticated
using ((select auth.uid()) = "userId");

create policy upload_errors_select_staff on public.upload_errors
for select to authenticated
using ((select public.has_profile_type('ADMIN', 'SUPER_ADMIN', 'HELPDESK')));

create policy upload_errors_update_staff on public.upload_errors
for update to authenticated
using ((select public.has_profile_type('ADMIN', 'SUPER_ADMIN', 'HELPDESK')))
with check ((select public.has_profile_type('ADMIN', 'SUPER_ADMIN', 'HELPDESK')));
