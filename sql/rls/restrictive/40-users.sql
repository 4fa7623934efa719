-- Users see themselves; of others, what platform_access.member_profiles shows. Accounts are made by
-- platform_access.sign_up, and sessions found by platform_access.find_session.

create policy users_self_select on platform.users
for select to studio_app, studio_readonly
using (id = (select platform_access.user_id()));

create policy users_self_update on platform.users
for update to studio_app
using (id = (select platform_access.user_id()))
with check (id = (select platform_access.user_id()));

create policy sessions_self_select on platform.user_sessions
for select to studio_app, studio_readonly
using (user_id = (select platform_access.user_id()));

create policy sessions_self_insert on platform.user_sessions
for insert to studio_app
with check (user_id = (select platform_access.user_id()));

create policy sessions_self_update on platform.user_sessions
for update to studio_app
using (user_id = (select platform_access.user_id()))
with check (user_id = (select platform_access.user_id()));

create policy sessions_self_delete on platform.user_sessions
for delete to studio_app
using (user_id = (select platform_access.user_id()));

-- An entry is about what its writer did; 60-guards.sql holds that against functions of the owner as well.
create policy audit_logs_org_admin_select on platform.audit_logs
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations('admin'))::uuid[]));

create policy audit_logs_self_insert on platform.audit_logs
for insert to studio_app
with check (
  user_id = (select platform_access.user_id())
  and (organization_id is null or organization_id = any ((select platform_access.organizations())::uuid[]) or project_id is not null)
);

-- The same for all.
create policy billing_plans_public_read on platform.billing_plans
for select to studio_app, studio_readonly
using (true);

create policy feature_flags_public_read on platform.feature_flags
for select to studio_app, studio_readonly
using (true);
