-- Tests of the restrictive policies, for a role that they bind. They read the catalog with the caller's rights.

create function platform.test_rls_enforcement()
returns table (test_name text, test_passed boolean, description text)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_tables constant text[] := array['organizations', 'projects', 'users', 'credentials', 'audit_logs'];
  v_before constant text := coalesce(current_setting('app.context', true), '');
  v_table text;
  v_sees boolean;
  v_faults text;
begin
  test_name := 'no_session_vars';
  perform set_config('app.context', '', true);
  foreach v_table in array v_tables loop
    execute format('select exists (select id from platform.%I)', v_table) into v_sees;
    if v_sees then
      v_faults := concat_ws(', ', v_faults, v_table);
    end if;
  end loop;
  perform set_config('app.context', v_before, true);
  test_passed := v_faults is null;
  description := coalesce('visible without a context: ' || v_faults, 'nothing is visible without a context');
  return next;

  test_name := 'session_functions_exist';
  test_passed := to_regprocedure('platform_access.user_id()') is not null
    and to_regprocedure('platform_access.organizations(text)') is not null;
  description := 'the request context is there';
  return next;

  test_name := 'policies_exist';
  select string_agg(v.table_name, ', ' order by v.table_name)
  into v_faults
  from platform.verify_rls_enabled() as v
  where not v.rls_enabled
    or exists (
      select from pg_policies as p
      where p.schemaname = 'platform' and p.tablename = v.table_name and p.roles = array['public']::name[]
    )
    or not exists (
      select from pg_policies as p
      where p.schemaname = 'platform' and p.tablename = v.table_name and p.roles @> array['studio_app']::name[]
        and p.cmd = 'SELECT'
    )
    or not exists (
      select from pg_policies as p
      where p.schemaname = 'platform' and p.tablename = v.table_name and p.policyname = 'system_all_' || v.table_name
        and p.roles = array['studio_system']::name[]
    );
  test_passed := v_faults is null;
  description := coalesce(
    'tables without their policies, or with one for everyone: ' || v_faults, 'each table has policies by role'
  );
  return next;
end;
$$;

comment on function platform.test_rls_enforcement() is
  'Three tests of the restrictive policies; each row is a test, its result and what was found';

revoke all on function platform.test_rls_enforcement() from public;
