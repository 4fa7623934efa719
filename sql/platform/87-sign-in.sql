-- What has to work before a user is known, or before a row can be the user's own. All run with the owner's
-- rights, and only in a transaction that the application has signed for it: a statement that is smuggled into
-- a user's transaction can ask none of them for a hash or a session.

create function platform_access.require_scope(p_scope text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if (platform_access.verified_context())[2] is distinct from p_scope then
    raise exception 'this needs a request context of scope "%"', p_scope
      using
        errcode = 'insufficient_privilege',
        hint = 'Run it by withContext of client/ for a user, and by withSignIn before there is one.';
  end if;
end;
$$;

revoke all on function platform_access.require_scope(text) from public;

create function platform_access.find_user(p_email text)
returns table (user_id uuid, password_hash text, mfa_enabled boolean, email_confirmed_at timestamptz, banned_until timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform platform_access.require_scope('sign_in');
  return query
  select u.id, u.password_hash, u.mfa_enabled, u.email_confirmed_at, u.banned_until
  from platform.users as u
  where lower(u.email) = lower(p_email) and u.deleted_at is null;
end;
$$;

comment on function platform_access.find_user(text) is 'What a sign-in compares, of the user with this e-mail address';

revoke all on function platform_access.find_user(text) from public;

-- Null where the address or the user name is taken.
create function platform_access.sign_up(
  p_email text,
  p_password_hash text,
  p_username text default null,
  p_first_name text default null,
  p_last_name text default null
)
returns uuid
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform platform_access.require_scope('sign_in');
  insert into platform.users (email, password_hash, username, first_name, last_name)
  values (p_email, p_password_hash, p_username, p_first_name, p_last_name)
  on conflict do nothing
  returning id into v_id;
  return v_id;
end;
$$;

revoke all on function platform_access.sign_up(text, text, text, text, text) from public;

-- The token as the table holds it: its hash. Null where the user may not sign in.
create function platform_access.start_session(
  p_user_id uuid,
  p_token text,
  p_expires_at timestamptz,
  p_refresh_token text default null,
  p_ip_address inet default null,
  p_user_agent text default null
)
returns uuid
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform platform_access.require_scope('sign_in');
  update platform.users as u
  set last_sign_in_at = now()
  where u.id = p_user_id and u.deleted_at is null and (u.banned_until is null or u.banned_until <= now());
  if not found then
    return null;
  end if;

  insert into platform.user_sessions (user_id, token, refresh_token, expires_at, ip_address, user_agent)
  values (p_user_id, p_token, p_refresh_token, p_expires_at, p_ip_address, p_user_agent)
  returning id into v_id;
  return v_id;
end;
$$;

revoke all on function platform_access.start_session(uuid, text, timestamptz, text, inet, text) from public;

create function platform_access.find_session(p_token text)
returns table (session_id uuid, user_id uuid, expires_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform platform_access.require_scope('sign_in');
  return query
  select s.id, s.user_id, s.expires_at
  from platform.user_sessions as s
  join platform.users as u on u.id = s.user_id
  where s.token = p_token and s.expires_at > now()
    and u.deleted_at is null and (u.banned_until is null or u.banned_until <= now());
end;
$$;

comment on function platform_access.find_session(text) is
  'The session with this token, unless it is over or its user may not sign in';

revoke all on function platform_access.find_session(text) from public;

-- A scope is a word of the application's, which narrows what the key's user may, or claims a role: the name of one,
-- or * for all, alone or before a colon. What claims a role higher than that of the user is void.
create function platform_access.allows_scope(p_role text, p_scope text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_position(r.ranks, p_role) <= array_position(r.ranks, replace(split_part(p_scope, ':', 1), '*', 'owner')), true)
  from (values (array['owner', 'admin', 'billing_admin', 'developer', 'member'])) as r (ranks);
$$;

revoke all on function platform_access.allows_scope(text, text) from public;

create function platform_access.find_api_key(p_key_hash text)
returns table (api_key_id uuid, user_id uuid, organization_id uuid, scopes jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform platform_access.require_scope('sign_in');
  return query
  select
    k.id,
    k.user_id,
    k.organization_id,
    (
      select coalesce(jsonb_agg(s.scope), '[]')
      from jsonb_array_elements_text(k.scopes) as s (scope)
      where platform_access.allows_scope(m.role, s.scope)
    )
  from platform.api_keys as k
  join platform.users as u on u.id = k.user_id
  join platform.organization_members as m on m.organization_id = k.organization_id and m.user_id = k.user_id
  where k.key_hash = p_key_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
    and u.deleted_at is null and (u.banned_until is null or u.banned_until <= now());
end;
$$;

comment on function platform_access.find_api_key(text) is
  'The API key with this hash, unless it is over, or its user may not sign in or has left the organization';

revoke all on function platform_access.find_api_key(text) from public;

-- The creator is the first owner; without that nobody could read the new row.
create function platform_access.create_organization(p_name text, p_slug text, p_billing_email text default null)
returns uuid
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform platform_access.require_scope('user');
  insert into platform.organizations (name, slug, billing_email)
  values (p_name, p_slug, p_billing_email)
  returning id into v_id;
  insert into platform.organization_members (organization_id, user_id, role)
  values (v_id, platform_access.user_id(), 'owner');
  return v_id;
end;
$$;

revoke all on function platform_access.create_organization(text, text, text) from public;

-- The organization; null for an invitation that is unknown, over, or another address's, all alike. An address that
-- was never confirmed proves nothing: anybody signs up with any.
create function platform_access.accept_invitation(p_token text)
returns uuid
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant uuid := platform_access.user_id();
  v_organization_id uuid;
  v_role text;
begin
  perform platform_access.require_scope('user');
  if exists (select from platform.users as u where u.id = v_user_id and u.email_confirmed_at is null) then
    raise exception 'the e-mail address of this user is not confirmed'
      using
        errcode = 'insufficient_privilege',
        hint = 'Have the user confirm it, set users.email_confirmed_at as studio_system, and accept again.';
  end if;

  update platform.organization_invitations as i
  set accepted_at = now()
  from platform.users as u
  where i.token = p_token and i.accepted_at is null and i.expires_at > now()
    and u.id = v_user_id and u.deleted_at is null and lower(u.email) = lower(i.invited_email)
  returning i.organization_id, i.role into v_organization_id, v_role;
  if not found then
    return null;
  end if;

  insert into platform.organization_members (organization_id, user_id, role, invited_by)
  select v_organization_id, v_user_id, v_role, i.invited_by
  from platform.organization_invitations as i
  where i.token = p_token
  on conflict (organization_id, user_id) do nothing;
  return v_organization_id;
end;
$$;

revoke all on function platform_access.accept_invitation(text) from public;
