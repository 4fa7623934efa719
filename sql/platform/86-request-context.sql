-- On whose behalf a transaction runs. The application signs it with a key that SQL cannot read; each policy
-- asks the functions below, which believe nothing that is not signed for this very transaction.
-- What this keeps out, and what not, is in docs/row-level-security.md.

create schema platform_access;

comment on schema platform_access is 'Request context of a transaction, and the functions that work before a user is known';

create table platform_access.context_keys (
  name text not null,
  key text not null,
  created_at timestamptz not null default now(),
  constraint context_keys_pkey primary key (name)
);

comment on table platform_access.context_keys is
  'Keys that request contexts are signed with; for the owner alone';

-- What a signature is bound to: this transaction of this connection, and no other.
create function platform_access.challenge()
returns text
language sql
stable
parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select pg_backend_pid() || '.' || encode(timestamptz_send(transaction_timestamp()), 'hex');
$$;

revoke all on function platform_access.challenge() from public;

-- The setting app.context is  key:scope:user:organization:signature . Scope "user" has a user and perhaps an
-- organization; scope "sign_in" has neither. Null where the setting is empty. A value that this transaction's
-- application did not sign is an error: to see nothing instead would look like an empty database.
create function platform_access.verified_context()
returns text[]
language plpgsql
stable
parallel restricted
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_context constant text := current_setting('app.context', true);
  v_parts constant text[] := string_to_array(v_context, ':');
  v_key text;
begin
  if coalesce(v_context, '') = '' then
    return null;
  end if;

  select k.key into v_key from platform_access.context_keys as k where k.name = v_parts[1] and length(k.key) >= 32;
  if v_key is null or cardinality(v_parts) <> 5 or v_parts[5] is distinct from encode(public.hmac(
    concat_ws(
      ':', 'platform context 1', v_parts[2], v_parts[3], v_parts[4],
      -- The challenge, written out: this runs for each table of a query.
      pg_backend_pid() || '.' || encode(timestamptz_send(transaction_timestamp()), 'hex')
    ),
    v_key, 'sha256'
  ), 'hex') then
    raise exception 'app.context is not signed for this transaction'
      using
        errcode = 'invalid_authorization_specification',
        hint = 'Run the statement by withContext of client/, with the key that this database has.';
  end if;

  return v_parts;
end;
$$;

revoke all on function platform_access.verified_context() from public;

create function platform_access.user_id()
returns uuid
language plpgsql
stable
parallel restricted
set search_path = pg_catalog, pg_temp
as $$
begin
  return nullif((platform_access.verified_context())[3], '')::uuid;
end;
$$;

comment on function platform_access.user_id() is 'The user of this transaction; null without one';

revoke all on function platform_access.user_id() from public;

create function platform_access.organization_id()
returns uuid
language plpgsql
stable
parallel restricted
set search_path = pg_catalog, pg_temp
as $$
begin
  return nullif((platform_access.verified_context())[4], '')::uuid;
end;
$$;

comment on function platform_access.organization_id() is
  'The active organization of this transaction; null without one';

revoke all on function platform_access.organization_id() from public;

-- An active organization restricts both lists. With the owner's rights, which no policy binds: a policy on
-- organization_members that read it with the caller's rights would call itself. Each call would plan its query
-- once more, for its own parameters, unless the plan is generic; to plan takes longer than to run it.
create function platform_access.organizations(p_role text default 'member')
returns uuid[]
language plpgsql
stable
parallel restricted
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_context constant text[] := platform_access.verified_context();
  v_user_id constant uuid := nullif(v_context[3], '');
  v_organization_id constant uuid := nullif(v_context[4], '');
  v_ranks constant text[] := array['owner', 'admin', 'billing_admin', 'developer', 'member'];
  v_roles constant text[] := v_ranks[:array_position(v_ranks, p_role)];
begin
  if v_user_id is null then
    return '{}';
  end if;

  return array(
    select m.organization_id
    from platform.organization_members as m
    where m.user_id = v_user_id and (v_organization_id is null or m.organization_id = v_organization_id)
      and m.role = any (v_roles)
  );
end;
$$;

comment on function platform_access.organizations(text) is
  'Organizations in which the user of this transaction has the role or a higher one';

revoke all on function platform_access.organizations(text) from public;

create function platform_access.shared_projects(p_role text default 'read_only')
returns uuid[]
language plpgsql
stable
parallel restricted
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_generic_plan'
as $$
declare
  v_context constant text[] := platform_access.verified_context();
  v_user_id constant uuid := nullif(v_context[3], '');
  v_organization_id constant uuid := nullif(v_context[4], '');
  v_ranks constant text[] := array['owner', 'admin', 'developer', 'read_only'];
  v_roles constant text[] := v_ranks[:array_position(v_ranks, p_role)];
begin
  if v_user_id is null then
    return '{}';
  end if;

  return array(
    select m.project_id
    from platform.project_members as m
    where m.user_id = v_user_id
      and m.role = any (v_roles)
      and (
        v_organization_id is null
        or exists (select from platform.projects as p where p.id = m.project_id and p.organization_id = v_organization_id)
      )
  );
end;
$$;

comment on function platform_access.shared_projects(text) is
  'Projects of which this transaction''s user is a member itself, with the role or a higher one';

revoke all on function platform_access.shared_projects(text) from public;

-- A context for this transaction, made by the owner: for checks, and for a person who looks into a fault.
create function platform_access.signed_context(p_user_id uuid, p_organization_id uuid default null)
returns text
language sql
stable
parallel restricted
set search_path = pg_catalog, pg_temp
as $$
  select concat_ws(':', k.name, c.claims, encode(public.hmac(
    concat_ws(':', 'platform context 1', c.claims, platform_access.challenge()), k.key, 'sha256'
  ), 'hex'))
  from platform_access.context_keys as k
  cross join (
    select
      case
        when p_user_id is null then 'sign_in::'
        else 'user:' || p_user_id || ':' || coalesce(p_organization_id::text, '')
      end
  ) as c (claims)
  where length(k.key) >= 32
  order by k.created_at desc
  limit 1;
$$;

revoke all on function platform_access.signed_context(uuid, uuid) from public;

-- As in the tests of the original session helpers: each row is a test and its result.
create function platform_access.test_context()
returns table (test_name text, test_passed boolean, description text)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant uuid := '00000000-0000-4000-8000-0000000000a1';
  v_organization_id constant uuid := '00000000-0000-4000-8000-0000000000b1';
  v_before constant text := coalesce(current_setting('app.context', true), '');
begin
  test_name := 'set_and_get';
  perform set_config('app.context', platform_access.signed_context(v_user_id, v_organization_id), true);
  test_passed := platform_access.user_id() is not distinct from v_user_id
    and platform_access.organization_id() is not distinct from v_organization_id;
  description := 'a signed context gives its user and its organization';
  return next;

  test_name := 'clear';
  perform set_config('app.context', '', true);
  test_passed := platform_access.user_id() is null and platform_access.organizations() = '{}';
  description := 'a context that is cleared gives no user and no organization';
  return next;

  test_name := 'forged';
  begin
    perform set_config(
      'app.context',
      coalesce((select k.name from platform_access.context_keys as k limit 1), 'none') || ':user:' || v_user_id || '::00',
      true
    );
    perform platform_access.user_id();
    test_passed := false;
  exception when invalid_authorization_specification then
    test_passed := true;
  end;
  description := 'a context that is not signed is an error';
  return next;

  perform set_config('app.context', v_before, true);
end;
$$;

comment on function platform_access.test_context() is 'Three tests of the request context, for the owner';

revoke all on function platform_access.test_context() from public;
