-- The queries whose times are compared before and after a change: what each page of the application asks.

-- query: session
-- as: studio_app
select u.id, s.expires_at
from platform.user_sessions as s
join platform.users as u on u.id = s.user_id
where s.token = 'no such token' and s.expires_at > now();

-- query: audit
-- as: studio_app
select id, event_type, action, severity, created_at
from platform.audit_logs
order by created_at desc
limit 50;

-- query: members
-- as: studio_app
select m.role, u.email
from platform.organization_members as m
join platform.users as u on u.id = m.user_id
where m.organization_id = (select id from platform.organizations order by created_at limit 1);

-- query: projects
-- as: studio_app
select id, name, ref, status
from platform.projects
where organization_id = (select id from platform.organizations order by created_at limit 1);

-- query: databases
-- as: studio_app
select id, name, type, status
from platform.databases
where project_id = (select id from platform.projects order by created_at limit 1);
