-- Phase 3 with restrictive policies: the tests of the second phase, as the application's role and with request
-- contexts that the owner signs. The fixtures have fixed ids and are undone; what the tests said before, and
-- why no role could pass them, is in docs/differences.md.

-- check: rls.1.1 helpers are there
select
  'rls.1.1 helpers are there' as name,
  case when count(f) = 5 and bool_and(has_function_privilege('studio_app', f, 'EXECUTE')) then 'PASS' else 'FAIL' end
    as status,
  count(f) || ' of 5 functions' as measured,
  'challenge, user_id, organization_id, organizations and shared_projects, for studio_app' as expected
from (
  select to_regprocedure('platform_access.' || s) as f
  from unnest(array['challenge()', 'user_id()', 'organization_id()', 'organizations(text)', 'shared_projects(text)']) as s
) as functions;

-- check: rls.1.2 values are read back
select
  'rls.1.2 values are read back' as name,
  case when test_passed then 'PASS' else 'FAIL' end as status,
  test_passed::text as measured,
  'the user and the organization that were signed' as expected
from platform_access.test_context()
where test_name = 'set_and_get';

-- check: rls.1.3 cleared is null
select
  'rls.1.3 cleared is null' as name,
  case when test_passed then 'PASS' else 'FAIL' end as status,
  test_passed::text as measured,
  'no user and no organization after the context is cleared' as expected
from platform_access.test_context()
where test_name = 'clear';

-- check: rls
-- as: studio_app
-- writes
reset role;

insert into platform.users (id, email, username)
select ('00000000-0000-4000-8000-0000000f00a' || n)::uuid, 'pgstrata-verification-' || n || '@example.org', 'pgstrata-verification-' || n
from generate_series(1, 3) as n;

insert into platform.organizations (id, name, slug)
select ('00000000-0000-4000-8000-0000000f00b' || n)::uuid, 'Verification', 'pgstrata-verification-' || n
from generate_series(1, 2) as n;

insert into platform.organization_members (organization_id, user_id, role)
values
  ('00000000-0000-4000-8000-0000000f00b1', '00000000-0000-4000-8000-0000000f00a1', 'owner'),
  ('00000000-0000-4000-8000-0000000f00b1', '00000000-0000-4000-8000-0000000f00a2', 'member'),
  ('00000000-0000-4000-8000-0000000f00b2', '00000000-0000-4000-8000-0000000f00a3', 'owner');

insert into platform.projects (
  id, organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select
  ('00000000-0000-4000-8000-0000000f00c' || n)::uuid, ('00000000-0000-4000-8000-0000000f00b' || n)::uuid,
  'Verification', 'pgstrata-verification', 'pgstrata-verification-' || n, 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from generate_series(1, 2) as n;

reset role;

select set_config('app.context', '', true);

set local role studio_app;

select set_config('verification.none', count(*)::text, true) from platform.organizations;

reset role;

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a1'), true);

set local role studio_app;

select set_config('verification.own', count(*)::text, true) from platform.organizations;

select set_config('verification.foreign', count(*)::text, true) from platform.organizations where slug = 'pgstrata-verification-2';

select set_config('verification.projects', count(*)::text, true) from platform.projects;

select set_config('verification.foreign_projects', count(*)::text, true) from platform.projects where ref = 'pgstrata-verification-2';

with changed as (
  update platform.organizations set name = 'Verified' returning id
)

select set_config('verification.owner_updates', count(*)::text, true) from changed;

with added as (
  insert into platform.credentials (project_id, anon_key, service_role_key, jwt_secret)
  values ('00000000-0000-4000-8000-0000000f00c1', 'none', 'none', 'none')
  returning id
)

select set_config('verification.owner_adds', count(*)::text, true) from added;

select set_config('verification.owner_reads', count(id)::text, true) from platform.credentials;

reset role;

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a2'), true);

set local role studio_app;

with changed as (
  update platform.organizations set name = 'Verified' returning id
)

select set_config('verification.member_updates', count(*)::text, true) from changed;

reset role;

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a3'), true);

set local role studio_app;

select set_config('verification.stranger_reads', count(id)::text, true) from platform.credentials where project_id = '00000000-0000-4000-8000-0000000f00c1';

reset role;

set local role studio_system;

select set_config('verification.system', count(*)::text, true) from platform.organizations where slug like 'pgstrata-verification-%';

select
  t.name,
  case when current_setting(t.setting) = t.wanted then 'PASS' else 'FAIL' end as status,
  current_setting(t.setting) as measured,
  t.expected
from (
  values
    ('rls 2.1 nothing without a context', 'verification.none', '0', '0 organizations'),
    ('rls 2.2 a user sees its organization', 'verification.own', '1', '1 organization of all'),
    ('rls 2.3 a user sees no other organization', 'verification.foreign', '0', '0 rows of the other organization'),
    ('rls 3.1 a user sees its project', 'verification.projects', '1', '1 project of all'),
    ('rls 3.2 a user sees no other project', 'verification.foreign_projects', '0', '0 rows of the other organization'),
    ('rls 4.1 an owner updates', 'verification.owner_updates', '1', '1 row'),
    ('rls 4.2 a member updates nothing', 'verification.member_updates', '0', '0 rows'),
    ('rls 5.1 an owner adds credentials', 'verification.owner_adds', '1', '1 row'),
    ('rls 5.2 an owner reads credentials', 'verification.owner_reads', '1', '1 row of all'),
    ('rls 5.3 a stranger reads none of them', 'verification.stranger_reads', '0', '0 rows'),
    ('rls 6.1 the system sees both', 'verification.system', '2', 'both organizations')
) as t (name, setting, wanted, expected);

-- check: rls.escalation
-- as: studio_app
-- writes
reset role;

insert into platform.users (id, email, username)
select ('00000000-0000-4000-8000-0000000f00a' || n)::uuid, 'pgstrata-verification-' || n || '@example.org', 'pgstrata-verification-' || n
from generate_series(1, 3) as n;

insert into platform.organizations (id, name, slug)
select ('00000000-0000-4000-8000-0000000f00b' || n)::uuid, 'Verification', 'pgstrata-verification-' || n
from generate_series(1, 2) as n;

insert into platform.organization_members (organization_id, user_id, role)
values
  ('00000000-0000-4000-8000-0000000f00b1', '00000000-0000-4000-8000-0000000f00a1', 'owner'),
  ('00000000-0000-4000-8000-0000000f00b1', '00000000-0000-4000-8000-0000000f00a2', 'admin'),
  ('00000000-0000-4000-8000-0000000f00b2', '00000000-0000-4000-8000-0000000f00a3', 'owner');

insert into platform.projects (
  id, organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select
  ('00000000-0000-4000-8000-0000000f00c' || n)::uuid, ('00000000-0000-4000-8000-0000000f00b' || n)::uuid,
  'Verification', 'pgstrata-verification', 'pgstrata-verification-' || n, 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from generate_series(1, 2) as n;

reset role;

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a2'), true);

set local role studio_app;

do $$
begin
  update platform.organization_members set role = 'owner' where user_id = platform_access.user_id();
  perform set_config('verification.promotes', 'done', true);
exception when insufficient_privilege then
  perform set_config('verification.promotes', 'refused', true);
end
$$;

do $$
begin
  insert into platform.organization_invitations (organization_id, invited_email, invited_by, role, token, expires_at)
  values (
    '00000000-0000-4000-8000-0000000f00b1', 'pgstrata-verification@example.org', '00000000-0000-4000-8000-0000000f00a2',
    'owner', 'pgstrata verification', now() + interval '1 hour'
  );
  perform set_config('verification.invites', 'done', true);
exception when insufficient_privilege then
  perform set_config('verification.invites', 'refused', true);
end
$$;

do $$
begin
  perform platform.log_audit_event('00000000-0000-4000-8000-0000000f00a1', 'user', null, 'renamed');
  perform set_config('verification.forges', 'done', true);
exception when insufficient_privilege then
  perform set_config('verification.forges', 'refused', true);
end
$$;

do $$
begin
  update platform.users set email = 'pgstrata-verification@example.org';
  perform set_config('verification.address', 'done', true);
exception when insufficient_privilege then
  perform set_config('verification.address', 'refused', true);
end
$$;

reset role;

select set_config('app.context', platform_access.signed_context('00000000-0000-4000-8000-0000000f00a1'), true);

set local role studio_app;

do $$
begin
  delete from platform.organization_members where user_id = platform_access.user_id();
  perform set_config('verification.leaves', 'done', true);
exception when restrict_violation then
  perform set_config('verification.leaves', 'refused', true);
end
$$;

do $$
begin
  perform platform_access.find_user('pgstrata-verification-2@example.org');
  perform set_config('verification.hash', 'done', true);
exception when insufficient_privilege then
  perform set_config('verification.hash', 'refused', true);
end
$$;

select
  t.name,
  case when current_setting(t.setting) = t.wanted then 'PASS' else 'FAIL' end as status,
  current_setting(t.setting) as measured,
  t.expected
from (
  values
    ('rls.escalation no admin raises itself', 'verification.promotes', 'refused', 'refused'),
    ('rls.escalation no admin invites an owner', 'verification.invites', 'refused', 'refused'),
    ('rls.escalation no audit entry is forged', 'verification.forges', 'refused', 'refused'),
    ('rls.escalation no user takes another address', 'verification.address', 'refused', 'refused'),
    ('rls.escalation the last owner stays', 'verification.leaves', 'refused', 'refused'),
    ('rls.escalation no user asks for hashes', 'verification.hash', 'refused', 'refused')
) as t (name, setting, wanted, expected);
