/** What breaks that which a check of the audit trail is about, as `controls.ts` has it for the platform. */

const WITHOUT_TRIGGERS = "set local session_replication_role = replica";
const replaced = (name: string, returns: string, body: string): string =>
  `create or replace function ${name} returns ${returns} language plpgsql security definer set search_path = pg_catalog, pg_temp as $$ ${body} $$`;

export const AUDIT_CONTROLS: Readonly<Record<string, string>> = {
  "shape.user_audits": "alter table public.user_audits alter id drop default",
  "shape.upload_errors": 'alter table public.upload_errors drop "resolvedAt" cascade',
  "shape.profiles": 'alter table public.profiles rename "deletionReason" to deletion_reason',
  "shape.constraints":
    'alter table public.user_audits drop constraint "user_audits_userId_fkey"; alter table public.user_audits add constraint "user_audits_userId_fkey" foreign key ("userId") references public.profiles (id) on update cascade',
  "shape.view": "alter view public.upload_error_stats set (security_invoker = false)",

  "indexes.present":
    'drop index public.upload_errors_retryable_idx; create index upload_errors_retryable_idx on public.upload_errors ("correlationId")',
  "indexes.valid": "update pg_index set indisvalid = false where indexrelid = 'public.profiles_pkey'::regclass",

  "trigger.present": "alter table public.profiles disable trigger trg_audit_profile_changes",
  "functions.present": "alter function public.resolve_upload_error(uuid, uuid) security definer",
  "functions.pinned":
    "alter function public.log_upload_error(text, text, text, text, text, uuid, boolean) reset search_path",
  "functions.owner":
    "create role pgstrata_other; grant create on schema public to pgstrata_other; alter function public.audit_profile_changes() owner to pgstrata_other",

  "access.row_level_security": "alter table public.upload_errors disable row level security",
  "access.policies": "create policy later on public.user_audits for insert to authenticated with check (true)",
  "access.policies_bind": "alter role authenticated bypassrls",
  "access.privileges": "grant truncate on public.user_audits to anon",
  "access.functions": "grant execute on function public.cleanup_old_upload_errors(integer) to public",
  "access.no_forged_rows":
    "grant insert on public.user_audits to authenticated; create policy later on public.user_audits for insert to authenticated with check (true)",
  "access.own_rows": "create policy later on public.user_audits for select to authenticated using (true)",
  "access.admins": "drop policy user_audits_select_admin on public.user_audits",

  "behaviour.changes_are_recorded":
    "drop trigger trg_audit_profile_changes on public.profiles; create trigger trg_audit_profile_changes after insert on public.profiles for each row execute function public.audit_profile_changes()",
  "behaviour.settings_stop_no_write": replaced(
    "public.current_actor()",
    "uuid",
    "begin return current_setting('app.current_user_id', true)::uuid; end",
  ),
  "behaviour.a_profile_can_be_removed":
    'alter table public.user_audits drop constraint "user_audits_userId_fkey"; alter table public.user_audits add constraint "user_audits_userId_fkey" foreign key ("userId") references public.profiles (id)',
  "behaviour.a_deletion_names_who_is_signed_in": replaced("public.current_actor()", "uuid", "begin return null; end"),
  "behaviour.errors_are_logged_and_resolved": "drop policy upload_errors_update_staff on public.upload_errors",
  "behaviour.cleanup_takes_old_resolved_errors":
    "create or replace function public.cleanup_old_upload_errors(p_days_to_keep integer default 90) returns integer language sql as $$ delete from public.upload_errors; select 0 $$",
  "behaviour.statistics_count":
    'create or replace view public.upload_error_stats with (security_invoker = true) as select e."errorType", count(*) as total_count, count(*) as unresolved_count, count(*) as retryable_count, count(*) as affected_users, min(e."timestamp") as first_occurrence, max(e."timestamp") as last_occurrence, 0::numeric as avg_hours_to_resolve from public.upload_errors e group by 1',

  "data.values": `${WITHOUT_TRIGGERS}; alter table public.user_audits alter action drop not null; insert into public.user_audits ("userId") select id from public.profiles limit 1`,
  "data.references": `${WITHOUT_TRIGGERS}; delete from public.profiles where id in (select "userId" from public.user_audits)`,
  "data.earlier_deletions": `insert into public.user_audits ("userId", action, metadata) select "userId", action, metadata from public.user_audits where metadata ->> 'backfilled' = 'true'`,
};
