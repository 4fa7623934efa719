-- The queries whose times are compared before and after a change: what each page of the application asks, in the
-- request context of the owner who has been one for longest. Without a context, restrictive policies would hide all
-- that is to be read. Of a query the last statement is timed.

-- query: session
-- as: studio_app
reset role;

select set_config('app.context', platform_access.signed_context(null), true);

set local role studio_app;

select session_id, user_id, expires_at
from platform_access.find_session('no such token');

-- query: audit
-- as: studio_app
reset role;

select
  set_config('timings.organization', organization_id::text, true),
  set_config('app.context', platform_access.signed_context(user_id), true)
from platform.organization_members
order by role <> 'owner', created_at
limit 1;

set local role studio_app;

select id, event_type, action, severity, created_at
from platform.audit_logs
where organization_id = nullif(current_setting('timings.organization', true), '')::uuid
order by created_at desc
limit 50;

-- query: members
-- as: studio_app
reset role;

select
  set_config('timings.organization', organization_id::text, true),
  set_config('app.context', platform_access.signed_context(user_id), true)
from platform.organization_members
order by role <> 'owner', created_at
limit 1;

set local role studio_app;

select role, username, email
from platform_access.member_profiles
where organization_id = nullif(current_setting('timings.organization', true), '')::uuid;

-- query: projects
-- as: studio_app
reset role;

select
  set_config('timings.organization', organization_id::text, true),
  set_config('app.context', platform_access.signed_context(user_id), true)
from platform.organization_members
order by role <> 'owner', created_at
limit 1;

set local role studio_app;

select id, name, ref, status
from platform.projects
where organization_id = nullif(current_setting('timings.organization', true), '')::uuid;

-- query: databases
-- as: studio_app
reset role;

select
  set_config('timings.project', p.id::text, true),
  set_config('app.context', platform_access.signed_context(m.user_id), true)
from platform.organization_members as m
join platform.projects as p on p.organization_id = m.organization_id
order by m.role <> 'owner', m.created_at
limit 1;

set local role studio_app;

select id, name, type, status
from platform.databases
where project_id = nullif(current_setting('timings.project', true), '')::uuid;
