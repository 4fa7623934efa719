-- Phase 6, what the pages of the application ask, with the privileges of its role: an answer in place of
-- 403. Whether the pages show it is for a person to see.

-- check: application.session
-- as: studio_app
-- writes
insert into platform.users (email) values ('pgstrata-verification@example.org');

insert into platform.user_sessions (user_id, token, expires_at)
select id, 'pgstrata verification', now() + interval '1 hour'
from platform.users
where email = 'pgstrata-verification@example.org';

select
  'application.session' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 session found by its token' as measured,
  'the session with its user' as expected
from platform.user_sessions as s
join platform.users as u on u.id = s.user_id
where s.token = 'pgstrata verification' and s.expires_at > now() and u.deleted_at is null;

-- check: application.organizations
-- as: studio_app
-- writes
insert into platform.users (email) values ('pgstrata-verification@example.org');

insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.organization_members (organization_id, user_id, role)
select o.id, u.id, 'owner'
from platform.organizations as o, platform.users as u
where o.slug = 'pgstrata-verification' and u.email = 'pgstrata-verification@example.org';

select
  'application.organizations' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 organization of a user' as measured,
  'the organization of the membership' as expected
from platform.organization_members as m
join platform.organizations as o on o.id = m.organization_id
join platform.users as u on u.id = m.user_id
where u.email = 'pgstrata-verification@example.org';

-- check: application.projects
-- as: studio_app
select
  'application.projects' as name,
  case when count(*) > 0 and count(*) = count(o.id) then 'PASS' else 'FAIL' end as status,
  count(*) || ' projects, ' || count(o.id) || ' with their organization' as measured,
  'at least one, each with its organization' as expected
from (select organization_id from platform.projects) as p
left join platform.organizations as o on o.id = p.organization_id;

-- check: application.audit_logs
-- as: studio_app
-- writes
insert into platform.audit_logs (event_type, action, created_at)
values ('verification.test', 'verify', now() + interval '1 hour');

select
  'application.audit_logs' as name,
  case when count(*) filter (where event_type = 'verification.test') = 1 then 'PASS' else 'FAIL' end as status,
  count(*) filter (where event_type = 'verification.test') || ' of 1 entry among the 50 newest' as measured,
  'the entry that was just written' as expected
from (select event_type from platform.audit_logs order by created_at desc limit 50) as newest;

-- check: application.databases
-- as: studio_app
select
  'application.databases' as name,
  case when count(*) = count(s.id) and count(*) > 0 then 'PASS' else 'FAIL' end as status,
  count(s.id) || ' of ' || count(*) || ' registrations in databases_safe' as measured,
  'all of them, without secrets' as expected
from (select id from platform.databases) as d
left join platform.databases_safe as s on s.id = d.id;
