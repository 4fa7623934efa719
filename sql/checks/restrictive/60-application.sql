-- Phase 6 with restrictive policies: what the pages of the application ask, as its role and by the functions
-- that stand in where no row is visible yet. Whether the pages show it is for a person to see.

-- check: application.session
-- as: studio_app
-- writes
reset role;

insert into platform.users (id, email, username, password_hash)
values ('00000000-0000-4000-8000-0000000f00a1', 'pgstrata-verification@example.org', 'pgstrata-verification', 'none');

select set_config('app.context', platform_access.signed_context(null), true);

set local role studio_app;

select platform_access.start_session(u.user_id, 'pgstrata verification', now() + interval '1 hour')
from platform_access.find_user('pgstrata-verification@example.org') as u;

select
  'application.session' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 session found by its token' as measured,
  'the user found by its address, and its session by its token' as expected
from platform_access.find_session('pgstrata verification') as s
where s.user_id = '00000000-0000-4000-8000-0000000f00a1';

-- check: application.organizations
-- as: studio_app
-- writes
reset role;

insert into platform.users (id, email, username, password_hash)
values ('00000000-0000-4000-8000-0000000f00a1', 'pgstrata-verification@example.org', 'pgstrata-verification', 'none');

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a1'), true);

set local role studio_app;

select platform_access.create_organization('Verification', 'pgstrata-verification');

select
  'application.organizations' as name,
  case when count(*) = 1 and bool_and(p.username = 'pgstrata-verification') then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 organization of a user' as measured,
  'the organization that was created, with its owner and the name of it' as expected
from platform.organizations as o
join platform.organization_members as m on m.organization_id = o.id
join platform_access.member_profiles as p on p.organization_id = o.id and p.user_id = m.user_id
where m.role = 'owner';

-- check: application.projects
-- as: studio_app
-- writes
reset role;

insert into platform.users (id, email, username, password_hash)
values ('00000000-0000-4000-8000-0000000f00a1', 'pgstrata-verification@example.org', 'pgstrata-verification', 'none');

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a1'), true);

set local role studio_app;

select platform_access.create_organization('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations;

insert into platform.databases (project_id, name, type, host, port, connection_string)
select id, 'pgstrata verification', 'redis', 'verification.test', 6379, 'redis://user:first@verification.test:6379'
from platform.projects;

select
  'application.projects' as name,
  case when count(*) = 1 and count(d.id) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' projects, ' || count(d.id) || ' registrations in databases_safe' as measured,
  'the project and the registration that the owner has added, and no other' as expected
from platform.organizations as o
join (select id, organization_id from platform.projects) as p on p.organization_id = o.id
left join platform.databases_safe as d on d.project_id = p.id;

-- check: application.audit_logs
-- as: studio_app
-- writes
reset role;

insert into platform.users (id, email, username, password_hash)
values ('00000000-0000-4000-8000-0000000f00a1', 'pgstrata-verification@example.org', 'pgstrata-verification', 'none');

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a1'), true);

set local role studio_app;

select platform_access.create_organization('Verification', 'pgstrata-verification');

select platform.log_audit_event('00000000-0000-4000-8000-0000000f00a1', 'organization', id::text, 'renamed')
from platform.organizations;

select
  'application.audit_logs' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 entry' as measured,
  'the entry of the organization''s own, and no other' as expected
from (select event_type from platform.audit_logs order by created_at desc limit 50) as newest;
