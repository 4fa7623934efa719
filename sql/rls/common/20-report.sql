-- A report on row-level security. It reads the catalog with the caller's rights.

create function platform.verify_rls_enabled()
returns table (table_name text, rls_enabled boolean, policy_count bigint)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    c.relname::text,
    c.relrowsecurity,
    (select count(*) from pg_policy as p where p.polrelid = c.oid)
  from pg_class as c
  where c.relnamespace = 'platform'::regnamespace and c.relkind in ('r', 'p')
  order by c.relname::text;
end;
$$;

comment on function platform.verify_rls_enabled() is
  'Every table of schema platform with its row-level security flag and number of policies';

revoke all on function platform.verify_rls_enabled() from public;
