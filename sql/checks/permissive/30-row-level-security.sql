-- Phase 3, the 21 tests of the first phase of row-level security. Those of access run as the application's
-- role: an owner, whom no policy binds, would prove nothing. What the tests said before and why they could
-- not fail is in docs/differences.md.

-- check: rls.1.1 enabled
select
  'rls.1.1 enabled' as name,
  case when count(*) filter (where relrowsecurity) >= 26 then 'PASS' else 'FAIL' end as status,
  count(*) filter (where relrowsecurity) || ' tables with row-level security' as measured,
  '26 tables or more' as expected
from pg_class
where relnamespace = 'platform'::regnamespace and relkind in ('r', 'p');

-- check: rls.1.2 on every table
select
  'rls.1.2 on every table' as name,
  case when count(*) > 0 and bool_and(relrowsecurity) then 'PASS' else 'FAIL' end as status,
  coalesce(
    'without: ' || string_agg(relname, ', ' order by relname) filter (where not relrowsecurity),
    'all ' || count(*)
  ) as measured,
  'no table of the schema without row-level security' as expected
from pg_class
where relnamespace = 'platform'::regnamespace and relkind in ('r', 'p');

-- check: rls.1.3 on the critical tables
select
  'rls.1.3 on the critical tables' as name,
  case when count(*) = 6 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 6' as measured,
  'organizations, projects, credentials, users, subscriptions, databases' as expected
from pg_class
where relnamespace = 'platform'::regnamespace and relrowsecurity
  and relname in ('organizations', 'projects', 'credentials', 'users', 'subscriptions', 'databases');

-- check: rls.2.1 policies
select
  'rls.2.1 policies' as name,
  case when count(*) = 26 then 'PASS' else 'FAIL' end as status,
  count(*) || ' tables have their policy permissive_all_<table>' as measured,
  '26 tables' as expected
from pg_class as c
join pg_policy as p on p.polrelid = c.oid and p.polname = 'permissive_all_' || c.relname
where c.relnamespace = 'platform'::regnamespace;

-- check: rls.2.2 permissive
select
  'rls.2.2 permissive' as name,
  case when count(*) > 0 and bool_and(permissive = 'PERMISSIVE') then 'PASS' else 'FAIL' end as status,
  coalesce(
    'restrictive: ' || string_agg(policyname, ', ') filter (where permissive <> 'PERMISSIVE'),
    'all ' || count(*)
  ) as measured,
  'every policy is permissive' as expected
from pg_policies
where schemaname = 'platform';

-- check: rls.2.3 using true
select
  'rls.2.3 using true' as name,
  case when count(*) > 0 and bool_and(qual is not distinct from 'true') then 'PASS' else 'FAIL' end as status,
  coalesce('others: ' || string_agg(policyname, ', ') filter (where qual is distinct from 'true'), 'all ' || count(*))
    as measured,
  'USING (true) of every policy' as expected
from pg_policies
where schemaname = 'platform';

-- check: rls.2.4 check true
select
  'rls.2.4 check true' as name,
  case when count(*) > 0 and bool_and(with_check is not distinct from 'true') then 'PASS' else 'FAIL' end as status,
  coalesce(
    'others: ' || string_agg(policyname, ', ') filter (where with_check is distinct from 'true'), 'all ' || count(*)
  ) as measured,
  'WITH CHECK (true) of every policy' as expected
from pg_policies
where schemaname = 'platform';

-- check: rls.3.1 organizations are read
-- as: studio_app
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

select
  'rls.3.1 organizations are read' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 row visible to ' || current_user as measured,
  'the row that was just inserted' as expected
from platform.organizations
where slug = 'pgstrata-verification';

-- check: rls.3.2 projects are read
-- as: studio_app
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations
where slug = 'pgstrata-verification';

select
  'rls.3.2 projects are read' as name,
  case when count(id) = 1 then 'PASS' else 'FAIL' end as status,
  count(id) || ' of 1 row visible to ' || current_user as measured,
  'the row that was just inserted' as expected
from platform.projects
where ref = 'pgstrata-verification';

-- check: rls.3.3 users are read
-- as: studio_app
-- writes
insert into platform.users (email) values ('pgstrata-verification@example.org');

select
  'rls.3.3 users are read' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 row visible to ' || current_user as measured,
  'the row that was just inserted' as expected
from platform.users
where email = 'pgstrata-verification@example.org';

-- check: rls.3.4 credentials are read
-- as: studio_app
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations
where slug = 'pgstrata-verification';

insert into platform.credentials (project_id, anon_key, service_role_key, jwt_secret)
select id, 'none', 'none', 'none' from platform.projects where ref = 'pgstrata-verification';

select
  'rls.3.4 credentials are read' as name,
  case when count(c.id) = 1 then 'PASS' else 'FAIL' end as status,
  count(c.id) || ' of 1 row visible to ' || current_user as measured,
  'the row that was just inserted' as expected
from platform.credentials as c
join platform.projects as p on p.id = c.project_id
where p.ref = 'pgstrata-verification';

-- check: rls.3.5 subscriptions are read
-- as: studio_app
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.subscriptions (organization_id, plan_id, plan_name)
select id, 'tier_free', 'Free' from platform.organizations where slug = 'pgstrata-verification';

select
  'rls.3.5 subscriptions are read' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 row visible to ' || current_user as measured,
  'the row that was just inserted' as expected
from platform.subscriptions as s
join platform.organizations as o on o.id = s.organization_id
where o.slug = 'pgstrata-verification';

-- check: rls.4.1 an organization is inserted
-- as: studio_app
-- writes
with added as (
  insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification') returning id
)

select
  'rls.4.1 an organization is inserted' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' rows inserted by ' || current_user as measured,
  '1 row' as expected
from added;

-- check: rls.4.2 an organization is updated
-- as: studio_app
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

with changed as (
  update platform.organizations set name = 'Verified' where slug = 'pgstrata-verification' returning name
)

select
  'rls.4.2 an organization is updated' as name,
  case when count(*) filter (where name = 'Verified') = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' rows updated by ' || current_user as measured,
  '1 row' as expected
from changed;

-- check: rls.5.1 verify_rls_enabled is there
select
  'rls.5.1 verify_rls_enabled is there' as name,
  case when f is not null and has_function_privilege('studio_app', f, 'EXECUTE') then 'PASS' else 'FAIL' end as status,
  case when f is null then 'missing' else 'there' end as measured,
  'platform.verify_rls_enabled(), for studio_app' as expected
from to_regprocedure('platform.verify_rls_enabled()') as f;

-- check: rls.5.2 test_rls_policies is there
select
  'rls.5.2 test_rls_policies is there' as name,
  case when f is not null and has_function_privilege('studio_app', f, 'EXECUTE') then 'PASS' else 'FAIL' end as status,
  case when f is null then 'missing' else 'there' end as measured,
  'platform.test_rls_policies(), for studio_app' as expected
from to_regprocedure('platform.test_rls_policies()') as f;

-- check: rls.5.3 verify_rls_enabled tells of every table
-- as: studio_app
select
  'rls.5.3 verify_rls_enabled tells of every table' as name,
  case
    when count(v.table_name) = count(*) and bool_and(v.rls_enabled = c.relrowsecurity) then 'PASS' else 'FAIL'
  end as status,
  count(v.table_name) || ' of ' || count(*) || ' tables' as measured,
  'a row for each table of the schema, with its flag' as expected
from pg_class as c
left join platform.verify_rls_enabled() as v on v.table_name = c.relname
where c.relnamespace = 'platform'::regnamespace and c.relkind in ('r', 'p');

-- check: rls.5.4 test_rls_policies is true
-- as: studio_app
select
  'rls.5.4 test_rls_policies is true' as name,
  case when count(*) filter (where test_result) = 5 and count(*) = 5 then 'PASS' else 'FAIL' end as status,
  count(*) filter (where test_result) || ' of ' || count(*) || ' tests true'
    || coalesce('; false: ' || string_agg(test_name, ', ') filter (where test_result is not true), '') as measured,
  '5 of 5' as expected
from platform.test_rls_policies();

-- check: rls.6.1 a count takes no longer than it may
-- as: studio_app
do $$
declare
  v_start timestamptz := clock_timestamp();
begin
  for n in 1..100 loop
    perform count(*) from (select 1 from platform.organizations limit 1000) as some_rows;
  end loop;
  perform set_config('verification.elapsed_ms', (extract(epoch from clock_timestamp() - v_start) * 1000)::text, true);
end
$$;

select
  'rls.6.1 a count takes no longer than it may' as name,
  case when elapsed_ms <= 1000 then 'PASS' else 'FAIL' end as status,
  round(elapsed_ms, 1) || ' ms for 100 counts' as measured,
  'at most 1000 ms' as expected
from (select current_setting('verification.elapsed_ms')::numeric as elapsed_ms) as measured;

-- check: rls.7.1 no table is shut
select
  'rls.7.1 no table is shut' as name,
  case when count(*) > 0 and bool_and(has_policy) then 'PASS' else 'FAIL' end as status,
  coalesce('without policy: ' || string_agg(relname, ', ') filter (where not has_policy), 'none') as measured,
  'no table with row-level security and no policy' as expected
from (
  select c.relname, exists (select 1 from pg_policy as p where p.polrelid = c.oid) as has_policy
  from pg_class as c
  where c.relnamespace = 'platform'::regnamespace and c.relrowsecurity
) as tables;

-- check: rls.7.2 no table has two policies
select
  'rls.7.2 no table has two policies' as name,
  case when count(*) > 0 and max(policies) = 1 then 'PASS' else 'FAIL' end as status,
  coalesce('several: ' || string_agg(relname, ', ') filter (where policies > 1), 'none') as measured,
  'one policy a table' as expected
from (
  select c.relname, count(*) as policies
  from pg_class as c
  join pg_policy as p on p.polrelid = c.oid
  where c.relnamespace = 'platform'::regnamespace
  group by c.relname
) as tables;
