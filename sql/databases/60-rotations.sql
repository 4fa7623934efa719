-- Rotations of the credentials of registered services, one row each. Each step is noted here when it is
-- done, so that any of them may be a run's last one; the next run goes on from it.

create table platform_private.credential_rotations (
  id uuid not null default gen_random_uuid(),
  database_id uuid not null,
  project_id uuid not null,
  step text not null default 'intended',
  old_username text not null,
  new_username text not null,
  group_name text not null,
  grace interval not null,
  successor_encrypted bytea,
  replaced_encrypted bytea not null,
  intended_at timestamptz not null default now(),
  made_at timestamptz,
  proven_at timestamptz,
  switched_at timestamptz,
  disabled_at timestamptz,
  ended_at timestamptz,
  constraint credential_rotations_pkey primary key (id),
  constraint credential_rotations_database_id_fkey
    foreign key (database_id) references platform.databases (id) on update cascade on delete cascade,
  constraint credential_rotations_step_check
    check (step in ('intended', 'made', 'proven', 'switched', 'disabled', 'ended', 'abandoned')),
  constraint credential_rotations_users_differ check (new_username not in (old_username, group_name))
);

comment on table platform_private.credential_rotations is
  'Rotations of the credentials of registered services; one that is not ended is gone on with by the next run';
comment on column platform_private.credential_rotations.project_id is
  'Project whose key the secrets of the rotation have, also where the registration moves';
comment on column platform_private.credential_rotations.step is 'The last step that is done';
comment on column platform_private.credential_rotations.group_name is
  'The user before all rotations: it keeps ownership and grants, is disabled and never dropped';
comment on column platform_private.credential_rotations.grace is
  'How long the old credential stays valid beside the new one';
comment on column platform_private.credential_rotations.successor_encrypted is
  'The new connection string, written before the service is touched; null when the rotation is over';
comment on column platform_private.credential_rotations.replaced_encrypted is
  'Digest of the connection string that is rotated away, encrypted: tells it from one that a person gives anew';

-- One at a time: a second run finds the first one's.
create unique index idx_credential_rotations_open
on platform_private.credential_rotations (database_id) where step not in ('ended', 'abandoned');
create index idx_credential_rotations_database_id on platform_private.credential_rotations (database_id);

-- What is kept of a connection string that is rotated away. Each rotation has its own salt.
create function platform_private.rotation_digest(p_rotation_id uuid, p_connection_string text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select encode(public.hmac(p_connection_string, p_rotation_id::text, 'sha256'), 'hex');
$$;

revoke all on function platform_private.rotation_digest(uuid, text) from public;

-- Notes what is intended, unless a rotation is open: then null.
create function platform_private.begin_rotation(
  p_database_id uuid,
  p_old_username text,
  p_new_username text,
  p_group_name text,
  p_successor text,
  p_grace interval
)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := gen_random_uuid();
begin
  insert into platform_private.credential_rotations (
    id, database_id, project_id, old_username, new_username, group_name, grace, successor_encrypted, replaced_encrypted
  )
  select
    v_id, d.id, d.project_id, p_old_username, p_new_username, p_group_name, p_grace,
    platform_private.encrypt_secret('rotation.successor', v_id, d.project_id, p_successor),
    platform_private.encrypt_secret(
      'rotation.replaced', v_id, d.project_id,
      platform_private.rotation_digest(v_id, platform_private.connection_string_of(d.id))
    )
  from platform.databases as d
  where d.id = p_database_id
  on conflict (database_id) where step not in ('ended', 'abandoned') do nothing;

  return case when found then v_id end;
end;
$$;

revoke all on function platform_private.begin_rotation(uuid, text, text, text, text, interval) from public;

-- Whether a connection string is the one that a rotation replaces, or has replaced.
create function platform_private.is_replaced_by(
  p_rotation platform_private.credential_rotations,
  p_connection_string text
)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select platform_private.rotation_digest(p_rotation.id, p_connection_string) = platform_private.decrypt_secret(
    'rotation.replaced', p_rotation.id, p_rotation.project_id, p_rotation.replaced_encrypted
  );
$$;

revoke all on function platform_private.is_replaced_by(platform_private.credential_rotations, text) from public;

-- The new connection string of a rotation that is not over.
create function platform_private.successor_of(p_rotation platform_private.credential_rotations)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select platform_private.decrypt_secret(
    'rotation.successor', p_rotation.id, p_rotation.project_id, p_rotation.successor_encrypted
  );
$$;

revoke all on function platform_private.successor_of(platform_private.credential_rotations) from public;

-- Of a connection string that a program gives: why the registered one stays in its place, where it was rotated
-- away; else null. What cannot be decrypted stops the program: it must not write an old string.
create function platform_private.rotation_note(p_database_id uuid, p_given text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_note text;
begin
  select
    d.name || ': the connection string that is given was rotated away on '
    || to_char(r.switched_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
    || '. The registry keeps the one that took its place, of user ' || coalesce(d.username, 'default')
  into v_note
  from platform_private.credential_rotations as r
  join platform.databases as d on d.id = r.database_id
  where r.database_id = p_database_id and r.switched_at is not null and platform_private.is_replaced_by(r, p_given)
  order by r.switched_at desc
  limit 1;

  return v_note;
exception
  when external_routine_invocation_exception then
    raise exception 'what rotations of database % have replaced does not open', p_database_id
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = 'Restore platform_private.encryption_salts and credential_rotations together.';
end;
$$;

revoke all on function platform_private.rotation_note(uuid, text) from public;

-- Encrypts what rotations keep with the present salt; for the rotation of the salt, before the old one goes.
create function platform_private.renew_rotation_secrets()
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  update platform_private.credential_rotations as r
  set
    successor_encrypted = platform_private.encrypt_secret(
      'rotation.successor', r.id, r.project_id, platform_private.successor_of(r)
    ),
    replaced_encrypted = platform_private.encrypt_secret(
      'rotation.replaced', r.id, r.project_id, platform_private.decrypt_secret(
        'rotation.replaced', r.id, r.project_id, r.replaced_encrypted
      )
    );
$$;

revoke all on function platform_private.renew_rotation_secrets() from public;

-- A part of a URL without its percent-encoding.
create function platform_private.url_decoded(p_text text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select convert_from(string_agg(
    case when m[1] is null then convert_to(m[2], 'utf8') else decode(m[1], 'hex') end, ''::bytea order by n
  ), 'utf8')
  from regexp_matches(p_text, '%([0-9A-Fa-f]{2})|([^%]+|%)', 'g') with ordinality as r (m, n);
$$;

revoke all on function platform_private.url_decoded(text) from public;

-- Who signs in with a connection string. A user of MongoDB is one of a database, its realm.
create function platform_private.service_user(
  p_type text,
  p_connection_string text,
  p_config jsonb,
  out username text,
  out password text,
  out realm text
)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select
    coalesce(
      nullif(platform_private.url_decoded(split_part(a.login, ':', 1)), ''), case when p_type = 'redis' then 'default' end
    ),
    nullif(substring(a.login from ':(.*)'), ''),
    case when p_type = 'mongodb' then coalesce(
      substring(p_connection_string from '[?&]authSource=([^&#]+)'),
      p_config ->> 'authSource',
      substring(p_connection_string from '^[^:]+://[^/?#]*/([^?#]+)'),
      'admin'
    ) end
  from (select coalesce(substring(p_connection_string from '^[^:]+://([^@/?#]*)@'), '')) as a (login);
$$;

revoke all on function platform_private.service_user(text, text, jsonb) from public;

-- Other registrations whose credential is that of a user of the same service. One that has the same user and
-- password at another address may be: a service can have several names.
--
-- The strings are read here and do not leave the database. One that does not open serves no reader.
create function platform_private.registrations_sharing(p_database_id uuid, p_username text)
returns table (id uuid, name text, project_id uuid, is_same_address boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_own record;
  v_other record;
begin
  select d.type, lower(d.host) as host, d.port, u.*
  into v_own
  from platform.databases as d
  cross join lateral platform_private.service_user(
    d.type, platform_private.connection_string_of(d.id), d.config
  ) as u
  where d.id = p_database_id;

  for v_other in
    select d.id, d.name, d.project_id, d.type, d.config, lower(d.host) = v_own.host and d.port = v_own.port as is_same_address
    from platform.databases as d
    where d.id <> p_database_id
      and (d.type = v_own.type or array[d.type, v_own.type] <@ array['postgresql', 'neon'])
    order by d.name, d.id
  loop
    begin
      select v_other.id, v_other.name, v_other.project_id, v_other.is_same_address
      into id, name, project_id, is_same_address
      from platform_private.service_user(
        v_other.type, platform_private.connection_string_of(v_other.id), v_other.config
      ) as u
      where u.username = p_username
        and u.realm is not distinct from v_own.realm
        and (v_other.is_same_address or u.username = v_own.username and u.password = v_own.password);

      if found then
        return next;
      end if;
    exception
      when external_routine_invocation_exception then null;
    end;
  end loop;
end;
$$;

revoke all on function platform_private.registrations_sharing(uuid, text) from public;
