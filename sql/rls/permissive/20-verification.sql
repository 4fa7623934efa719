-- Five tests of the permissive policies. They read the catalog with the caller's rights.

-- The three *_read tests ask, for the calling role, whether a read would succeed and show every row:
-- the query runs, a permissive policy with the expression "true" applies, and no restrictive policy
-- narrows it. They hold on an empty table, and for an owner they judge the policies that the owner is
-- exempt from. The other two look at every table of the schema, so a new one without policy fails.
create function platform.test_rls_policies()
returns table (test_name text, test_result boolean, description text)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table text;
  v_tables bigint;
  v_faults text;
begin
  foreach v_table in array array['organizations', 'projects', 'users'] loop
    test_name := v_table || '_read';
    select coalesce(
      bool_or(p.permissive = 'PERMISSIVE' and p.qual = 'true') and not bool_or(p.permissive = 'RESTRICTIVE'),
      false
    )
    into test_result
    from pg_policies as p
    cross join unnest(p.roles) as r
    where p.schemaname = 'platform' and p.tablename = v_table and p.cmd in ('ALL', 'SELECT')
      and case r when 'public' then true else pg_has_role(r, 'usage') end;

    description := case
      when test_result then 'every row of platform.' || v_table || ' is visible to ' || current_user
      else 'no policy shows every row of platform.' || v_table || ' to ' || current_user
    end;

    begin
      execute format('select id from platform.%I limit 1', v_table);
    exception when others then
      test_result := false;
      description := 'reading platform.' || v_table || ' as ' || current_user || ' fails: ' || sqlerrm;
    end;

    return next;
  end loop;

  test_name := 'rls_enabled';
  select count(*), string_agg(v.table_name, ', ' order by v.table_name) filter (where not v.rls_enabled)
  into v_tables, v_faults
  from platform.verify_rls_enabled() as v;
  test_result := v_tables > 0 and v_faults is null;
  description := coalesce(
    'tables without row-level security: ' || v_faults,
    'row-level security is on for ' || v_tables || ' tables'
  );
  return next;

  test_name := 'policies_exist';
  select string_agg(v.table_name, ', ' order by v.table_name)
  into v_faults
  from platform.verify_rls_enabled() as v
  where v.policy_count <> 1 or not exists (
    select 1
    from pg_policies as p
    where p.schemaname = 'platform' and p.tablename = v.table_name
      and p.policyname = 'permissive_all_' || v.table_name
      and p.permissive = 'PERMISSIVE' and p.cmd = 'ALL' and p.roles = array['public']::name[]
      and p.qual = 'true' and p.with_check = 'true'
  );
  test_result := v_tables > 0 and v_faults is null;
  description := coalesce(
    'tables that do not have exactly their permissive policy: ' || v_faults,
    v_tables || ' tables have their permissive policy and no other'
  );
  return next;
end;
$$;

comment on function platform.test_rls_policies() is
  'Five tests of the permissive policies; each row is a test, its result and what was found';

revoke all on function platform.test_rls_policies() from public;
