-- How restrictive policies stand in the catalog.

-- check: policies.enforced
-- as: studio_app
select
  'policies.enforced' as name,
  case when count(*) = 3 and bool_and(test_passed) then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(description, '; ') filter (where test_passed is not true), count(*) || ' tests hold') as measured,
  'nothing without a context, and policies by role on each table' as expected
from platform.test_rls_enforcement();

-- check: policies.on_every_table
select
  'policies.on_every_table' as name,
  case when count(*) >= 26 and bool_and(relrowsecurity and not relforcerowsecurity) then 'PASS' else 'FAIL' end as status,
  coalesce(
    'off, or forced: ' || string_agg(relname, ', ' order by relname) filter (where not relrowsecurity or relforcerowsecurity),
    'all ' || count(*)
  ) as measured,
  'row-level security on each table, and not forced: functions of the owner have to see what they decide by' as expected
from pg_class
where relnamespace = 'platform'::regnamespace and relkind in ('r', 'p');

-- check: policies.one_for_a_command
select
  'policies.one_for_a_command' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('several: ' || string_agg(what, ', ' order by what), 'none') as measured,
  'one policy for a role and a command: several add up' as expected
from (
  select p.tablename || ' ' || r || ' ' || c.command as what
  from pg_policies as p
  cross join unnest(p.roles) as r
  join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as c (command) on p.cmd in ('ALL', c.command)
  where p.schemaname = 'platform'
  group by p.tablename, r, c.command
  having count(*) > 1
) as several;

-- check: policies.ask_once_a_statement
select
  'policies.ask_once_a_statement' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('a call for each row: ' || string_agg(policyname, ', ' order by policyname), 'none') as measured,
  'functions within (select …), which the server evaluates once' as expected
from pg_policies
where schemaname = 'platform'
  and regexp_count(coalesce(qual, '') || coalesce(with_check, ''), '(platform_access\.\w+\(|pg_has_role\()')
    <> regexp_count(coalesce(qual, '') || coalesce(with_check, ''), 'SELECT (\(NOT \()?(platform_access\.\w+\(|\(?pg_has_role\()')
       + regexp_count(coalesce(qual, '') || coalesce(with_check, ''), ' OR pg_has_role\(');

-- check: policies.views
select
  'policies.views' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('with the rights of their owner: ' || string_agg(what, ', ' order by what), 'none') as measured,
  'views with their reader''s rights, but for member_profiles and administered_projects' as expected
from (
  select c.oid::regclass::text as what
  from pg_class as c
  where c.relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace) and c.relkind in ('v', 'm')
    and not coalesce(c.reloptions @> array['security_invoker=true'], false)
    and c.oid::regclass::text not in ('platform_access.member_profiles', 'platform_access.administered_projects')
) as views;

-- check: policies.guards
select
  'policies.guards' as name,
  case when count(*) = 6 and bool_and(t.tgenabled in ('O', 'A')) then 'PASS' else 'FAIL' end as status,
  count(*) filter (where t.tgenabled in ('O', 'A')) || ' of 6 triggers' as measured,
  'keep_last_owner, keep_account, keep_subscription, keep_project_members, keep_scopes and keep_audit_trail_true, enabled'
    as expected
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
where c.relnamespace = 'platform'::regnamespace
  and t.tgname in (
    'keep_last_owner', 'keep_account', 'keep_subscription', 'keep_project_members', 'keep_scopes', 'keep_audit_trail_true'
  );

-- check: policies.rows_stay_with_their_tenant
select
  'policies.rows_stay_with_their_tenant' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('updated by studio_app: ' || string_agg(what, ', ' order by what), 'none') as measured,
  'no organization_id, project_id or user_id that studio_app may update' as expected
from (
  select c.relname || '.' || a.attname as what
  from pg_attribute as a
  join pg_class as c on c.oid = a.attrelid
  where c.relnamespace = 'platform'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
    and a.attname in ('organization_id', 'project_id', 'user_id')
    and has_column_privilege('studio_app', c.oid, a.attnum, 'UPDATE')
) as columns;

-- check: policies.roles_are_apart
select
  'policies.roles_are_apart' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(what, ', ' order by what), 'they are') as measured,
  'no application that is a member of studio_system or studio_decrypt' as expected
from (
  select m.rolname || ' is a member of ' || r.rolname as what
  from pg_roles as m
  join pg_roles as r on r.rolname in ('studio_system', 'studio_decrypt') and pg_has_role(m.oid, r.oid, 'MEMBER')
  join pg_roles as a on a.rolname in ('studio_app', 'studio_readonly') and pg_has_role(m.oid, a.oid, 'USAGE')
  where m.rolcanlogin and not m.rolsuper and not m.rolcreaterole
) as memberships;

-- check: policies.indexes
select
  'policies.indexes' as name,
  case when count(*) = 2 and bool_and(i.indisvalid) then 'PASS' else 'FAIL' end as status,
  count(*) filter (where i.indisvalid) || ' of 2 valid' as measured,
  'idx_org_members_user_org and idx_org_members_org_user_role' as expected
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
where c.relnamespace = 'platform'::regnamespace
  and c.relname in ('idx_org_members_user_org', 'idx_org_members_org_user_role');

-- check: policies.every_organization_has_an_owner
select
  'policies.every_organization_has_an_owner' as name,
  case when count(*) = 0 then 'PASS' else 'WARNING' end as status,
  count(*) || ' without an owner' as measured,
  'an owner, or nobody can manage it but studio_system' as expected
from platform.organizations as o
where not exists (
  select from platform.organization_members as m where m.organization_id = o.id and m.role = 'owner'
);
