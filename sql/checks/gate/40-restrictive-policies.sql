-- kind: plan
-- What has to stand before policies hide rows. Asked only where the setting `rls` is restrictive, and of a new database only what its settings say.
with asked as (
  select coalesce(current_setting('pgstrata.rls', true), '') = 'restrictive' as is_wanted,
         coalesce(nullif(current_setting('pgstrata.decryptors', true), ''), '[]')::jsonb as decryptors,
         to_regclass('platform.organizations') is null as is_new
), tables as (
  select count(*) as all_of_them,
         string_agg(c.relname, ', ' order by c.relname)
           filter (where not c.relrowsecurity or not exists (select from pg_policy p where p.polrelid = c.oid)) as bare
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = 'platform' and c.relkind in ('r', 'p')
), helpers as (
  -- Neither the function nor the table may be there yet, so the query is a text.
  select case when to_regprocedure('platform_access.test_context()') is null then null
              else query_to_xml('select test_name, test_passed from platform_access.test_context()', false, false, '') end as rows
), told as (
  select coalesce(array_length(xpath('/table/row[test_passed = "true"]', rows), 1), 0) as passed, rows is null as is_missing from helpers
), indexes as (
  select count(*) filter (where i.indisvalid) as valid
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = 'platform' and c.relname in ('idx_org_members_user_org', 'idx_org_members_org_user_role')
), roles as (
  select (select string_agg(r.rolname, ', ') from pg_roles r
           where r.rolname in ('studio_app', 'studio_readonly', 'studio_system') and (r.rolsuper or r.rolbypassrls)) as bypassing,
         (select string_agg(d, ', ') from asked, jsonb_array_elements_text(asked.decryptors) d where d in ('studio_app', 'studio_readonly')) as decrypting,
         exists (select from pg_roles where rolname = 'studio_system') as has_system
), owners as (
  select case when asked.is_new or to_regclass('platform.organization_members') is null then null
              else (xpath('/table/row/n/text()', query_to_xml('select count(*) as n from platform.organizations o where not exists (select from platform.organization_members m
                      where m.organization_id = o.id and m.role = ''owner'')', false, false, '')))[1]::text::bigint end as without
    from asked
)
select 'restrictive-policies' as name, 'PASS' as status, 'the setting rls is not restrictive' as measured, 'permissive, or what restrictive policies need' as expected, '' as mend
  from asked where not is_wanted
union all
-- Not NO-GO: after a rollback of row-level security the policies have to come back at once.
select 'rls-phase-1', case when is_new or bare is null then 'PASS' else 'WARNING' end,
       case when is_new then 'the database is new' when bare is null then format('row-level security with policies on all %s tables', all_of_them) else 'without: ' || bare end,
       'permissive policies on every table, or restrictive ones',
       'First the permissive policies, for a day or two: pulumi config set rls permissive, and pulumi up'
  from asked, tables where is_wanted
union all
select 'rls-context', case when is_new or passed = 3 then 'PASS' else 'NO-GO' end,
       case when is_new then 'the database is new' when is_missing then 'no request context' else format('%s of 3 tests hold', passed) end,
       'the functions of platform_access with a key, in use by the application',
       'Update with permissive policies first, and have the application run each request by withContext of client/'
  from asked, told where is_wanted
union all
select 'rls-indexes', case when is_new or valid = 2 then 'PASS' else 'NO-GO' end,
       case when is_new then 'the database is new' else format('%s of 2 built and valid', valid) end,
       'idx_org_members_user_org and idx_org_members_org_user_role',
       'Update with permissive policies first, which builds them beside running queries'
  from asked, indexes where is_wanted
union all
select 'rls-roles', case when bypassing is not null or decrypting is not null or not has_system and not is_new then 'NO-GO' else 'PASS' end,
       case when bypassing is not null then 'passes all policies: ' || bypassing
            when decrypting is not null then 'decrypts the connection strings of all tenants: ' || decrypting
            when not has_system then 'no role studio_system' else 'apart' end,
       'applications that policies bind, and studio_system for background work',
       case when bypassing is not null then format('As a superuser: ALTER ROLE %s NOSUPERUSER NOBYPASSRLS', split_part(bypassing, ', ', 1))
            when decrypting is not null then 'Decrypt as a role of its own: pulumi config set decryptors ''["<login>"]'''
            else 'Update with permissive policies first, which creates it, or: CREATE ROLE studio_system LOGIN' end
  from asked, roles where is_wanted
union all
select 'rls-owners', case when coalesce(without, 0) = 0 then 'PASS' else 'WARNING' end,
       case when without is null then 'the database is new' else format('%s organizations without an owner', without) end,
       'an owner of each organization',
       'Make a member of each one its owner: nobody but studio_system can manage it otherwise'
  from asked, owners where is_wanted
