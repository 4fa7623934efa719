/**
 * Answers of `current_setting` that the server would not give: the function is one of its own, so it is
 * put aside within the transaction.
 */
const setting = (name: string, value: string): string => `
  set local allow_system_table_mods = on;
  alter function pg_catalog.current_setting(text) rename to true_setting;
  create function pg_catalog.current_setting(text) returns text stable language sql
    return case when $1 = '${name}' then '${value}' else pg_catalog.true_setting($1) end`;

const SEED = `
  insert into platform.users (id, email) values ('00000000-0000-0000-0000-00000000000a', 'somebody@example.org');
  insert into platform.organization_members (organization_id, user_id, role)
    select id, '00000000-0000-0000-0000-00000000000a', 'owner' from platform.organizations limit 1`;
const WITHOUT_TRIGGERS = "set local session_replication_role = replica";
const slow = (name: string, returns: string): string =>
  `create or replace function ${name} returns ${returns} language plpgsql as 'begin perform pg_catalog.pg_sleep(0.02); return null; end'`;

/**
 * What breaks that which a check is about, by the name of the check. Run as a superuser in a transaction
 * that is undone.
 */
export const CONTROLS: Readonly<Record<string, string>> = {
  "preconditions.version": setting("server_version_num", "140012"),
  "preconditions.privileges":
    "create role pgstrata_other; alter table platform.tax_ids owner to pgstrata_other; grant create, usage on schema platform to pgstrata_other; set local session authorization pgstrata_other",
  "preconditions.pgcrypto": "drop extension pgcrypto cascade",
  "preconditions.base_objects": "alter table platform.audit_logs rename to audit_log",
  "preconditions.audit_shape": "alter table platform.audit_logs rename organization_id to org_id",
  "preconditions.forerunner": "create table platform.database_connection_logs (id int)",
  "preconditions.roles": "alter role studio_decrypt rename to studio_decrypt_2",

  "table.present": "alter table platform.databases rename to old_databases",
  "table.columns": "alter table platform.databases alter column ssl_enabled set not null",
  "table.indexes": "drop index platform.idx_databases_updated_at",
  "table.constraints": "alter table platform.databases drop constraint databases_port_check",
  "table.functions": "alter function platform.update_database_health(uuid, text, text) rename to health",
  "table.views": "alter view platform.databases_safe set (security_invoker = false)",
  "table.triggers": "alter table platform.databases disable trigger encrypt_database_connection_string_trigger",

  "rls.1.1 enabled": "alter table platform.tax_ids disable row level security",
  "rls.1.2 on every table": "create table platform.newcomer (id int)",
  "rls.1.3 on the critical tables": "alter table platform.databases disable row level security",
  "rls.2.1 policies": "drop policy permissive_all_credits on platform.credits",
  "rls.2.2 permissive": "create policy narrow on platform.credits as restrictive using (true) with check (true)",
  "rls.2.3 using true": "alter policy permissive_all_credits on platform.credits using (false)",
  "rls.2.4 check true": "alter policy permissive_all_credits on platform.credits with check (false)",
  "rls.3.1 organizations are read": "alter policy permissive_all_organizations on platform.organizations using (false)",
  "rls.3.2 projects are read": "alter policy permissive_all_projects on platform.projects using (false)",
  "rls.3.3 users are read": "alter policy permissive_all_users on platform.users using (false)",
  "rls.3.4 credentials are read":
    "drop policy permissive_all_credentials on platform.credentials; create policy adds on platform.credentials for insert with check (true)",
  "rls.3.5 subscriptions are read": "alter policy permissive_all_subscriptions on platform.subscriptions using (false)",
  "rls.4.1 an organization is inserted":
    "alter policy permissive_all_organizations on platform.organizations with check (false)",
  "rls.4.2 an organization is updated":
    "create policy narrow on platform.organizations as restrictive for update using (false)",
  "rls.5.1 verify_rls_enabled is there": "alter function platform.verify_rls_enabled() rename to verify",
  "rls.5.2 test_rls_policies is there": "revoke execute on function platform.test_rls_policies() from studio_app",
  "rls.5.3 verify_rls_enabled tells of every table":
    "create or replace function platform.verify_rls_enabled() returns table (table_name text, rls_enabled boolean, policy_count bigint) language sql as $$ select 'users', true, 1::bigint $$",
  "rls.5.4 test_rls_policies is true":
    "create policy narrow on platform.projects as restrictive for select using (false)",
  "rls.6.1 a count takes no longer than it may": `${slow("public.slow()", "boolean")}; alter policy permissive_all_organizations on platform.organizations using (public.slow() is null)`,
  "rls.7.1 no table is shut": "drop policy permissive_all_credits on platform.credits",
  "rls.7.2 no table has two policies": "create policy second on platform.credits using (true) with check (true)",

  "registration.rows": "delete from platform.databases where type = 'redis'",
  "registration.status": "update platform.databases set status = 'inactive' where type = 'redis'",
  "registration.health": "update platform.databases set health_check_status = null where type = 'redis'",
  "registration.ciphertext": `${WITHOUT_TRIGGERS}; update platform.databases set connection_string_encrypted = null where type = 'redis'`,
  "registration.decryption": "revoke execute on function platform.decrypt_databases(uuid[]) from studio_decrypt",
  "registration.private_network": "delete from platform.databases where type = 'redis'",
  "registration.project":
    "update platform.databases set project_id = (select id from platform.projects where slug = 'two') where type = 'redis'",
  "registration.config": "update platform.databases set config = config - 'keyPrefix' where type = 'redis'",
  "registration.metadata": "update platform.databases set metadata = '{}' where type = 'redis'",

  "functional.insert_is_encrypted":
    "alter table platform.databases disable trigger encrypt_database_connection_string_trigger",
  "functional.decryption_gives_the_input":
    "create or replace function platform.decrypt_databases(p_database_ids uuid[]) returns table (id uuid, connection_string text, password text, config jsonb) language sql as $$ select p_database_ids[1], 'redis://another', null, null::jsonb $$",
  "functional.update_is_encrypted_anew":
    "drop trigger encrypt_database_connection_string_trigger on platform.databases; create trigger encrypt_database_connection_string_trigger before insert on platform.databases for each row execute function platform.encrypt_database_connection_string()",
  "functional.ciphertexts_differ":
    "create function public.same() returns trigger language plpgsql as $$ begin new.connection_string_encrypted := 'same'; return new; end $$; create trigger same before insert on platform.databases for each row execute function public.same()",
  "functional.filter_by_project_and_type":
    "update pg_proc set prosrc = replace(prosrc, 'd.status <> ''inactive''', 'true') where proname = 'get_project_databases'",
  "functional.health_is_recorded":
    "create or replace function platform.update_database_health(p_database_id uuid, p_health_status text, p_error_message text default null) returns boolean language sql as $$ select true $$",
  "functional.feature_flags_are_written": "revoke delete on platform.feature_flags from studio_system",
  "functional.timestamps_are_kept":
    "drop trigger update_user_sessions_activity on platform.user_sessions; create trigger update_user_sessions_activity before update on platform.user_sessions for each row execute function platform.update_updated_at_column()",

  "application.session": "create policy narrow on platform.user_sessions as restrictive for select using (false)",
  "application.organizations": "revoke select on platform.organization_members from studio_app",
  "application.projects": "create policy narrow on platform.organizations as restrictive for select using (false)",
  "application.audit_logs": "alter policy permissive_all_audit_logs on platform.audit_logs using (false)",
  "application.databases": "revoke select on platform.databases_safe from studio_app",
  "application.data_is_whole": `${SEED}; ${WITHOUT_TRIGGERS}; delete from platform.users where email = 'somebody@example.org'`,

  "performance.connections": setting("max_connections", "1"),
  "performance.project_query":
    "drop function platform.get_project_databases(uuid, text); create function platform.get_project_databases(uuid, text default null) returns setof uuid language plpgsql as 'begin perform pg_catalog.pg_sleep(0.02); end'",
  "performance.encryption": slow(
    "platform_private.encrypt_secret(p_column text, p_id uuid, p_project_id uuid, p_secret text)",
    "bytea",
  ),
  "performance.decryption": slow("platform.decrypt_database_connection_string(p_database_id uuid)", "text"),
  "performance.access_paths": "drop index platform.idx_databases_type",
  "performance.foreign_keys_have_indexes":
    "drop index platform.idx_databases_project_id, platform.idx_databases_project_type_status; update pg_class set reltuples = 1000000 where oid = 'platform.databases'::regclass",

  "security.no_plaintext": `${WITHOUT_TRIGGERS}; update platform.databases set connection_string = 'redis://user:canary@host:1' where type = 'redis'`,
  "security.no_secret_in_settings": `${WITHOUT_TRIGGERS}; update platform.databases set config = '{"a": {"apiKey": "canary"}}' where type = 'redis'`,
  "security.ciphertexts_have_their_key": `${WITHOUT_TRIGGERS}; update platform_private.encryption_salts set version = 9`,
  "security.ciphertexts_are_bound":
    "create or replace function platform_private.secret_place(p_column text, p_id uuid, p_project_id uuid, p_version integer) returns text language sql as $$ select 'anywhere ' $$",
  "security.decryptions_are_noted":
    "create or replace function platform_private.note_decryption(p_database_ids uuid[], p_columns text[]) returns void language sql as $$ select $$",
  "security.notes_are_the_owners": "grant delete on platform_audit.decryptions to studio_decrypt",
  "security.unknown_id_decrypts_to_null":
    "create or replace function platform.decrypt_database_connection_string(p_database_id uuid) returns text language sql as $$ select 'canary' $$",
  "security.decryption_is_restricted":
    "grant execute on function platform.decrypt_database_connection_string(uuid) to public",
  "security.restricted_view_is_not_public": "grant select on platform.databases_with_connection_strings to studio_app",
  "security.safe_view_is_readable": "revoke select on platform.databases_safe from studio_readonly",
  "security.safe_view_hides_secrets":
    "create or replace view platform.databases_safe with (security_invoker) as select id, project_id, name, type, host, port, database, ssl_enabled, config, metadata, status, health_check_status, last_health_check_at, created_at, updated_at, null::text as connection_string_masked, username from platform.databases",
  "security.rls_binds_the_application": "alter role studio_app bypassrls",
  "security.role_settings": "alter role studio_app set row_security = off",
  "security.rls_is_really_on": "alter table platform.users disable row level security",
  "security.definer_functions_are_closed":
    "alter function platform.decrypt_database_connection_string(uuid) reset search_path",
  "security.nothing_is_public": "grant select (email) on platform.users to public",
  "security.salt_is_the_owners": "grant usage on schema platform_private to studio_decrypt",
  "security.salt_is_long": `${WITHOUT_TRIGGERS}; update platform_private.encryption_salts set salt = 'short'`,
  "security.secrets_are_restricted": "grant select on platform.projects to studio_readonly",
  "security.audit_only_grows": "grant delete on platform.audit_logs to studio_app",
  "security.context_keys_are_the_owners": "grant select on platform_access.context_keys to studio_system",
  "security.request_context": "delete from platform_access.context_keys",

  "catalog.indexes_are_valid":
    "update pg_index set indisvalid = false where indexrelid = 'platform.idx_databases_type'::regclass",
  "catalog.constraints_are_validated":
    "alter table platform.databases add constraint later check (port <> 7) not valid",
  "catalog.triggers_are_enabled": "alter table platform.projects disable trigger all",
  "catalog.sequences_are_ahead":
    "create table platform.numbered (id int generated by default as identity); insert into platform.numbered values (5)",
  "catalog.tables_have_rls": "create table platform.newcomer (id int); grant delete on platform.newcomer to studio_app",
  "catalog.nothing_is_left_of_a_change": "alter index platform.idx_databases_type rename to idx_databases_type_ccnew",

  "health.01 registered databases": "delete from platform.databases where type = 'redis'",
  "health.02 encryption": `${WITHOUT_TRIGGERS}; update platform.databases set connection_string_encrypted = 'short' where type = 'redis'`,
  "health.03 format":
    "update platform.databases set connection_string = 'ftp://user:canary@redis.railway.internal:1' where type = 'redis'",
  "health.04 configuration": "update platform.databases set config = null where type = 'redis'",
  "health.05 metadata": "update platform.databases set metadata = '[]' where type = 'redis'",
  "health.06 health history":
    "update platform.databases set last_health_check_at = null, health_check_status = 'healthy' where type = 'redis'",
  "health.07 association": `${WITHOUT_TRIGGERS}; delete from platform.organizations`,
  "health.08 statistics":
    "alter table platform.databases drop constraint databases_status_check; update platform.databases set status = 'odd' where type = 'redis'",
  "health.09 decryption": `${WITHOUT_TRIGGERS}; update platform.databases set connection_string_encrypted = null where type = 'redis'`,
  "health.10 actions": "revoke execute on function platform.update_database_health(uuid, text, text) from studio_app",
};
