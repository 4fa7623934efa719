-- Who may see and do what: row-level security, its policies, privileges. A policy or a privilege that is not in the
-- list is a FAIL, since it opens what the others shut.

-- check: access.row_level_security
select
  'access.row_level_security' as name,
  case when count(*) filter (where relrowsecurity) = 2 then 'PASS' else 'FAIL' end as status,
  coalesce('on: ' || string_agg(relname, ', ' order by relname) filter (where relrowsecurity), 'off') as measured,
  'row-level security on upload_errors and user_audits' as expected
from pg_class
where oid in (to_regclass('public.user_audits'), to_regclass('public.upload_errors'));

-- check: access.policies
with staff (condition) as (
  values (
    '( SELECT public.has_profile_type(VARIADIC ARRAY[''ADMIN''::text, ''SUPER_ADMIN''::text, ''HELPDESK''::text]) AS has_profile_type)'
  )
),

expected (table_name, policy, command, condition, new_row) as (
  values
    (
      'user_audits', 'user_audits_select_own', 'r',
      '((( SELECT auth.uid() AS uid) = "userId") OR (( SELECT auth.uid() AS uid) = "performedBy"))', null
    ),
    (
      'user_audits', 'user_audits_select_admin', 'r',
      '( SELECT public.has_profile_type(VARIADIC ARRAY[''ADMIN''::text, ''SUPER_ADMIN''::text]) AS has_profile_type)', null
    ),
    ('upload_errors', 'upload_errors_select_own', 'r', '(( SELECT auth.uid() AS uid) = "userId")', null),
    ('upload_errors', 'upload_errors_select_staff', 'r', (select condition from staff), null),
    ('upload_errors', 'upload_errors_update_staff', 'w', (select condition from staff), (select condition from staff))
),

found as (
  select
    c.relname::text collate "default" as table_name, p.polname::text collate "default" as policy, p.polcmd::text as command,
    p.polpermissive and p.polroles = array['authenticated'::regrole::oid] as is_for_users,
    pg_get_expr(p.polqual, p.polrelid) as condition, pg_get_expr(p.polwithcheck, p.polrelid) as new_row
  from pg_policy as p
  join pg_class as c on c.oid = p.polrelid
  where c.oid in (to_regclass('public.user_audits'), to_regclass('public.upload_errors'))
),

compared as (
  select
    coalesce(e.policy, f.policy) as policy, e.policy is null as is_extra,
    coalesce(
      e.command = f.command and f.is_for_users and f.condition = e.condition and f.new_row is not distinct from e.new_row,
      false
    ) as is_equal
  from expected as e
  full join found as f on f.table_name = e.table_name and f.policy = e.policy
)

select
  'access.policies' as name,
  case when bool_and(is_equal) then 'PASS' else 'FAIL' end as status,
  count(*) filter (where is_equal) || ' of 5'
    || coalesce('; not as expected: ' || string_agg(policy, ', ') filter (where not is_equal and not is_extra), '')
    || coalesce('; not in the list: ' || string_agg(policy, ', ') filter (where is_extra), '') as measured,
  '5 policies, all for authenticated, and no other' as expected
from compared;

-- check: access.policies_bind
select
  'access.policies_bind' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(distinct what, ', '), 'anon and authenticated are bound') as measured,
  'neither passes policies by, itself or through another role' as expected
from (
  select m.rolname || ' may become ' || r.rolname as what
  from pg_roles as m
  join pg_roles as r on pg_has_role(m.oid, r.oid, 'MEMBER')
  where m.rolname in ('anon', 'authenticated') and (
    r.rolsuper or r.rolbypassrls or r.oid in (
      select relowner from pg_class where oid in (to_regclass('public.user_audits'), to_regclass('public.upload_errors'))
    )
  )
) as faults;

-- check: access.privileges
with expected (object, grantee, privilege) as (
  values
    ('user_audits', 'authenticated', 'SELECT'), ('upload_errors', 'authenticated', 'SELECT'),
    ('upload_errors.resolved', 'authenticated', 'UPDATE'), ('upload_errors.resolvedBy', 'authenticated', 'UPDATE'),
    ('upload_errors.resolvedAt', 'authenticated', 'UPDATE'), ('upload_error_stats', 'authenticated', 'SELECT')
),

relations as (
  select oid, relname, relacl, relowner
  from pg_class
  where oid in (
    to_regclass('public.user_audits'), to_regclass('public.upload_errors'), to_regclass('public.upload_error_stats')
  )
),

granted as (
  select c.relname::text as object, a.grantee, a.privilege_type as privilege
  from relations as c, aclexplode(c.relacl) as a
  union all
  select c.relname || '.' || t.attname, a.grantee, a.privilege_type
  from relations as c
  join pg_attribute as t on t.attrelid = c.oid and not t.attisdropped, aclexplode(t.attacl) as a
),

found as (
  select
    g.object collate "default" as object, coalesce(r.rolname::text, 'PUBLIC') collate "default" as grantee, g.privilege
  from granted as g
  left join pg_roles as r on r.oid = g.grantee
  where g.grantee = 0 or r.rolname in ('anon', 'authenticated')
)

select
  'access.privileges' as name,
  case when bool_and(e.object is not null and f.object is not null) then 'PASS' else 'FAIL' end as status,
  count(e.object) filter (where f.object is not null) || ' of 6'
    || coalesce(
      '; missing: ' || string_agg(e.privilege || ' on ' || e.object, ', ') filter (where f.object is null), ''
    )
    || coalesce(
      '; not in the list: '
      || string_agg(f.grantee || ' ' || f.privilege || ' on ' || f.object, ', ') filter (where e.object is null)
      || ' (REVOKE them)', ''
    ) as measured,
  'nothing for PUBLIC and anon; for authenticated SELECT, and UPDATE of what resolves an error' as expected
from expected as e
full join found as f on f.object = e.object and f.grantee = e.grantee and f.privilege = e.privilege;

-- check: access.functions
with expected (grantee, name) as (
  values
    ('authenticated', 'current_actor'), ('authenticated', 'has_profile_type'), ('authenticated', 'log_upload_error'),
    ('authenticated', 'resolve_upload_error')
),

found as (
  select
    coalesce(r.rolname::text, 'PUBLIC') collate "default" as grantee, p.proname::text collate "default" as name
  from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
  left join pg_roles as r on r.oid = a.grantee
  where p.pronamespace = 'public'::regnamespace
    and p.proname in (
      'current_actor', 'has_profile_type', 'audit_profile_changes', 'backfill_profile_audits', 'log_upload_error',
      'resolve_upload_error', 'cleanup_old_upload_errors'
    )
    and (a.grantee = 0 or r.rolname in ('anon', 'authenticated'))
)

select
  'access.functions' as name,
  case when bool_and(e.name is not null and f.name is not null) then 'PASS' else 'FAIL' end as status,
  count(e.name) filter (where f.name is not null) || ' of 4'
    || coalesce('; missing: ' || string_agg(e.name, ', ') filter (where f.name is null), '')
    || coalesce('; not in the list: ' || string_agg(f.grantee || ' ' || f.name, ', ') filter (where e.name is null), '')
    as measured,
  'nothing for PUBLIC and anon, 4 functions for authenticated' as expected
from expected as e
full join found as f on f.grantee = e.grantee and f.name = e.name;

-- check: access.no_forged_rows
-- as: authenticated, anon
-- writes
do $$
declare
  v_accepted text := '';
  v_role text;
begin
  foreach v_role in array array['authenticated', 'anon'] loop
    begin
      perform set_config('role', v_role, true);
      insert into public.user_audits ("userId", action) values ('00000000-0000-4000-8000-000000000000', 'UPDATE');
      v_accepted := v_accepted || ' ' || v_role;
    exception
      when insufficient_privilege then null;
      -- The row itself was accepted.
      when foreign_key_violation then v_accepted := v_accepted || ' ' || v_role;
    end;
  end loop;
  perform set_config('verification.accepted', v_accepted, true);
end
$$;

select
  'access.no_forged_rows' as name,
  case when accepted = '' then 'PASS' else 'FAIL' end as status,
  case when accepted = '' then 'refused' else 'accepted from' || accepted end as measured,
  'an audit row of an ordinary role is refused' as expected
from (select current_setting('verification.accepted') as accepted) as found;

-- check: access.own_rows
-- as: authenticated
-- writes
set local role none;

insert into public.profiles (id, email) values
  ('00000000-0000-4000-8000-00000000000a', 'pgstrata-a@example.org'),
  ('00000000-0000-4000-8000-00000000000b', 'pgstrata-b@example.org');

set local role authenticated;

select
  set_config('request.jwt.claim.sub', '00000000-0000-4000-8000-00000000000a', true),
  set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-00000000000a"}', true);

select
  'access.own_rows' as name,
  case when count(*) = 1 and bool_and("userId" = '00000000-0000-4000-8000-00000000000a') then 'PASS' else 'FAIL' end
    as status,
  count(*) || ' rows visible, ' || count(*) filter (where "userId" <> '00000000-0000-4000-8000-00000000000a') || ' of others'
    as measured,
  'of two audit rows the one of the signed-in user' as expected
from public.user_audits;

-- check: access.admins
-- as: authenticated
-- writes
set local role none;

insert into public.profiles (id, email, type) values
  ('00000000-0000-4000-8000-00000000000a', 'pgstrata-a@example.org', 'ADMIN'),
  ('00000000-0000-4000-8000-00000000000b', 'pgstrata-b@example.org', 'VENDOR');

set local role authenticated;

select
  set_config('request.jwt.claim.sub', '00000000-0000-4000-8000-00000000000a', true),
  set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-00000000000a"}', true);

select
  'access.admins' as name,
  case when count(*) = 2 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 2 rows visible' as measured,
  'an administrator sees the audit rows of all' as expected
from public.user_audits
where "userId" in ('00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b');
