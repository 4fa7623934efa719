-- What a policy cannot say, because it sees one row at a time or the new row without the old one. The
-- functions run with the owner's rights, so that they count what the caller does not see.

-- An organization keeps an owner: to remove or demote the last one is refused, by a cascade as well. Two at a
-- time wait for one another at the organization's row; where the second one cannot see what the first one did, as in
-- REPEATABLE READ, locking the other owners ends it with a serialization failure.
create function platform_access.keep_last_owner()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_others boolean;
begin
  if old.role <> 'owner' or (
    tg_op = 'UPDATE' and new.role = 'owner' and new.organization_id = old.organization_id
  ) then
    return coalesce(new, old);
  end if;

  perform from platform.organizations as o where o.id = old.organization_id for no key update;
  if not found then
    -- The organization itself is being deleted.
    return coalesce(new, old);
  end if;

  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform
    from platform.organization_members as m
    where m.organization_id = old.organization_id and m.role = 'owner' and m.id <> old.id
    for update;
    v_others := found;
  else
    v_others := exists (
      select from platform.organization_members as m
      where m.organization_id = old.organization_id and m.role = 'owner' and m.id <> old.id
    );
  end if;

  if not v_others then
    raise exception 'an organization keeps at least one owner'
      using
        errcode = 'restrict_violation',
        hint = 'Make another member an owner first, or delete the organization.';
  end if;

  return coalesce(new, old);
end;
$$;

revoke all on function platform_access.keep_last_owner() from public;

create trigger keep_last_owner
before update or delete on platform.organization_members
for each row execute function platform_access.keep_last_owner();

-- A user writes the profile of its own row. The address is what invitations are for, and the others are what
-- keeps somebody out. With the caller's rights: the functions of platform_access and the system pass.
create function platform_access.keep_account()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if row_security_active('platform.users') and not pg_has_role('studio_system', 'usage') and (
    new.id, new.email, new.email_confirmed_at, new.banned_until, new.deleted_at, new.last_sign_in_at, new.created_at
  ) is distinct from (
    old.id, old.email, old.email_confirmed_at, old.banned_until, old.deleted_at, old.last_sign_in_at, old.created_at
  ) then
    raise exception 'a user changes neither its address nor whether it may sign in'
      using errcode = 'insufficient_privilege', hint = 'The system does, as studio_system.';
  end if;

  return new;
end;
$$;

revoke all on function platform_access.keep_account() from public;

create trigger keep_account
before update on platform.users
for each row execute function platform_access.keep_account();

-- Those who pay set the limits of what they pay. What the plan allows, and what is owed, is the payment
-- provider's to say, which the system writes. A new column is shut until it is listed.
create function platform_access.keep_subscription()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_open constant text[] := array['usage_billing_enabled', 'spend_cap_enabled', 'spend_cap_amount', 'updated_at'];
begin
  if row_security_active('platform.subscriptions') and not pg_has_role('studio_system', 'usage')
    and to_jsonb(new) - v_open is distinct from to_jsonb(old) - v_open then
    raise exception 'of a subscription, a billing admin changes usage billing and the spend cap alone'
      using errcode = 'insufficient_privilege', hint = 'The system does, as studio_system.';
  end if;

  return new;
end;
$$;

revoke all on function platform_access.keep_subscription() from public;

create trigger keep_subscription
before update on platform.subscriptions
for each row execute function platform_access.keep_subscription();

-- Whether the statement comes from a tenant's request, also within a function that has the owner's rights:
-- there, neither the login nor a role that was taken on by SET ROLE changes.
create function platform_access.is_request()
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from pg_catalog.pg_roles as r
    where r.rolname in (session_user, current_setting('role')) and not r.rolsuper
      and (pg_has_role(r.oid, 'studio_app', 'usage') or pg_has_role(r.oid, 'studio_readonly', 'usage'))
      and not pg_has_role(
        r.oid, (select c.relowner from pg_catalog.pg_class as c where c.oid = 'platform.audit_logs'::regclass), 'usage'
      )
  );
$$;

revoke all on function platform_access.is_request() from public;

-- Entries of a request are about its user, its organizations and this moment, also where
-- platform.log_audit_event writes them. Before a user is known, an entry may name one, and no organization.
create function platform_access.keep_audit_trail_true()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_context text[];
  v_true boolean;
begin
  if not platform_access.is_request() then
    return new;
  end if;

  v_context := platform_access.verified_context();
  v_true := case v_context[2]
    when 'sign_in' then new.organization_id is null and new.project_id is null
    when 'user' then
      new.user_id is not distinct from v_context[3]::uuid
      and (
        new.project_id is null and (
          new.organization_id is null or new.organization_id = any (platform_access.organizations())
        )
        or exists (
          select
          from platform.projects as p
          where p.id = new.project_id and (new.organization_id is null or new.organization_id = p.organization_id)
            and (
              p.organization_id = any (platform_access.organizations())
              or p.id = any (platform_access.shared_projects())
            )
        )
      )
  end;
  if v_true is not true then
    raise exception 'an audit entry names its own user, and an organization or project of that user'
      using errcode = 'insufficient_privilege';
  end if;

  new.created_at := now();
  return new;
end;
$$;

revoke all on function platform_access.keep_audit_trail_true() from public;

create trigger keep_audit_trail_true
before insert on platform.audit_logs
for each row execute function platform_access.keep_audit_trail_true();

-- A request adds members of the organization alone to a project: it would give a project to users who have not
-- agreed to it, and tell by the foreign key who is there. Where the project is not the request's to write, the
-- policy refuses.
create function platform_access.keep_project_members()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if platform_access.is_request() and exists (
    select
    from platform.projects as p
    where p.id = new.project_id
      and (
        p.organization_id = any (platform_access.organizations('admin'))
        or p.id = any (platform_access.shared_projects('admin'))
      )
      and not exists (
        select
        from platform.organization_members as m
        where m.organization_id = p.organization_id and m.user_id = new.user_id
      )
  ) then
    raise exception 'a project takes members of its organization alone'
      using errcode = 'insufficient_privilege', hint = 'Invite the user to the organization first.';
  end if;

  return new;
end;
$$;

revoke all on function platform_access.keep_project_members() from public;

create trigger keep_project_members
before insert on platform.project_members
for each row execute function platform_access.keep_project_members();

-- A key claims no role above that of its maker: platform_access.allows_scope. A row of another user is the
-- policy's to refuse.
create function platform_access.keep_scopes()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if platform_access.is_request() and (
    jsonb_typeof(new.scopes) <> 'array' or exists (
      select
      from platform.organization_members as m
      cross join jsonb_array_elements_text(new.scopes) as s (scope)
      where m.organization_id = new.organization_id and m.user_id = new.user_id
        and not platform_access.allows_scope(m.role, s.scope)
    )
  ) then
    raise exception 'an API key has a list of scopes, and none of a role above that of its user'
      using errcode = 'insufficient_privilege';
  end if;

  return new;
end;
$$;

revoke all on function platform_access.keep_scopes() from public;

create trigger keep_scopes
before insert or update of scopes on platform.api_keys
for each row execute function platform_access.keep_scopes();
