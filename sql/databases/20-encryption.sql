-- Encryption of the registry's secrets by pgcrypto. No message quotes a value of a row.
--
-- A ciphertext is
--
--   1 byte      the form, 01; that of a bare OpenPGP message is 80 or more
--   4 bytes     the key version
--   32 bytes    HMAC-SHA256 of what follows: a changed bit is noticed before anything is decrypted
--   the rest    an OpenPGP message: AES-256, no compression
--
-- Inside stand its place and the secret: table and column, row, project and key version, one a line. What
-- was made before key versions is a bare message without a place; it is read with version 1 until it is
-- written again.

-- The salt that new ciphertexts are made with. The lock keeps it until the end of the transaction: a
-- rotation waits for it before it gives a salt up, and only then.
create function platform_private.current_salt(out version integer, out salt text)
language plpgsql
volatile
set search_path = ''
as $$
begin
  select s.version, s.salt into version, salt
  from platform_private.encryption_salts as s
  where s.name in ('databases', 'databases.next')
  order by s.version desc, s.name
  limit 1
  for share;

  if not found then
    raise exception 'no encryption salt: platform_private.encryption_salts has no row named "databases"'
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = 'Write the salt from the stack''s secret before the first database is registered.';
  end if;
end;
$$;

revoke all on function platform_private.current_salt() from public;

-- The salt of a key version, in the snapshot of the statement that reads the ciphertext.
create function platform_private.salt_of(p_version integer)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_salt text;
begin
  select s.salt into v_salt
  from platform_private.encryption_salts as s
  where s.name in ('databases', 'databases.next') and s.version = p_version
  limit 1;

  if not found then
    raise exception 'no encryption salt of key version %: platform_private.encryption_salts has none', p_version
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = 'Write the salt from the stack''s secret, or restore it together with the rows.';
  end if;

  return v_salt;
end;
$$;

revoke all on function platform_private.salt_of(integer) from public;

-- The key of a project for one use, encryption or authentication: lower-case hex, 256 bits.
create function platform_private.encryption_key(p_use text, p_project_id uuid, p_version integer, p_salt text)
returns text
language sql
immutable
set search_path = ''
as $$
  select encode(public.hmac(
    'platform.databases' || E'\n' || p_use || E'\n' || p_project_id::text || E'\n' || p_version::text, p_salt, 'sha256'
  ), 'hex');
$$;

revoke all on function platform_private.encryption_key(text, uuid, integer, text) from public;

-- Where a secret belongs; stands before it in what is encrypted.
create function platform_private.secret_place(p_column text, p_id uuid, p_project_id uuid, p_version integer)
returns text
language sql
immutable
set search_path = ''
as $$
  select 'platform.databases' || E'\n' || p_column || E'\n' || p_id::text || E'\n' || p_project_id::text || E'\n'
    || p_version::text || E'\n';
$$;

revoke all on function platform_private.secret_place(text, uuid, uuid, integer) from public;

-- The key version of a ciphertext; null for none, and for a form that is not known.
create function platform_private.key_version(p_ciphertext bytea)
returns integer
language sql
immutable
set search_path = ''
as $$
  select case
    when length(p_ciphertext) = 0 then null
    when get_byte(p_ciphertext, 0) >= 128 then 1
    when get_byte(p_ciphertext, 0) = 1 and length(p_ciphertext) > 37
      then ('x' || encode(substr(p_ciphertext, 2, 4), 'hex'))::bit(32)::integer
  end;
$$;

revoke all on function platform_private.key_version(bytea) from public;

create function platform_private.encrypt_secret(p_column text, p_id uuid, p_project_id uuid, p_secret text)
returns bytea
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_version integer;
  v_salt text;
  v_message bytea;
begin
  if p_secret is null then
    return null;
  end if;

  select c.version, c.salt into v_version, v_salt from platform_private.current_salt() as c;

  -- The key is as random as the salt, so that one salted SHA-256 of it is enough.
  v_message := public.pgp_sym_encrypt(
    platform_private.secret_place(p_column, p_id, p_project_id, v_version) || p_secret,
    platform_private.encryption_key('encryption', p_project_id, v_version, v_salt),
    'cipher-algo=aes256, s2k-mode=1, s2k-digest-algo=sha256, compress-algo=0'
  );

  return '\x01'::bytea || int4send(v_version) || public.hmac(
    v_message,
    convert_to(platform_private.encryption_key('authentication', p_project_id, v_version, v_salt), 'UTF8'),
    'sha256'
  ) || v_message;
end;
$$;

revoke all on function platform_private.encrypt_secret(text, uuid, uuid, text) from public;

-- What a ciphertext holds, if it belongs to this column of this row; by p_salt where its salt is kept
-- elsewhere. Stable: it sees the salts as of the
-- statement that reads the ciphertext, so that a rotation that ends meanwhile takes none away.
create function platform_private.decrypt_secret(
  p_column text,
  p_id uuid,
  p_project_id uuid,
  p_ciphertext bytea,
  p_salt text default null
)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_version integer;
  v_salt text;
  v_message bytea;
  v_plain text;
  v_place text;
begin
  if p_ciphertext is null then
    return null;
  end if;

  v_version := platform_private.key_version(p_ciphertext);

  if v_version is null then
    raise exception '% of database % is no ciphertext of a known form', p_column, p_id
      using errcode = 'external_routine_invocation_exception', hint = 'Write the secret again.';
  end if;

  v_salt := coalesce(p_salt, platform_private.salt_of(v_version));

  if get_byte(p_ciphertext, 0) >= 128 then
    return public.pgp_sym_decrypt(
      p_ciphertext, encode(public.digest(p_project_id::text || v_salt, 'sha256'), 'hex')
    );
  end if;

  v_message := substr(p_ciphertext, 38);

  if substr(p_ciphertext, 6, 32) <> public.hmac(
    v_message,
    convert_to(platform_private.encryption_key('authentication', p_project_id, v_version, v_salt), 'UTF8'),
    'sha256'
  ) then
    raise exception '% of database % does not open with the key of its project and key version %', p_column, p_id, v_version
      using
        errcode = 'external_routine_invocation_exception',
        hint = 'The ciphertext was changed, or belongs to another project. Write the secret again.';
  end if;

  v_plain := public.pgp_sym_decrypt(
    v_message, platform_private.encryption_key('encryption', p_project_id, v_version, v_salt)
  );
  v_place := platform_private.secret_place(p_column, p_id, p_project_id, v_version);

  if not starts_with(v_plain, v_place) then
    raise exception '% of database % holds the ciphertext of another place', p_column, p_id
      using
        errcode = 'external_routine_invocation_exception',
        hint = 'It was copied from another row, column or key version. Write the secret again.';
  end if;

  return substr(v_plain, length(v_place) + 1);
end;
$$;

revoke all on function platform_private.decrypt_secret(text, uuid, uuid, bytea, text) from public;

-- A ciphertext after an update: as it is, or made anew where its row or project is another one, or where
-- its column was written and the key version is not the present one.
create function platform_private.kept_secret(
  p_column text,
  p_ciphertext bytea,
  p_is_written boolean,
  p_old_id uuid,
  p_old_project_id uuid,
  p_id uuid,
  p_project_id uuid
)
returns bytea
language plpgsql
volatile
set search_path = ''
as $$
begin
  if p_ciphertext is null
    or (p_old_id, p_old_project_id) = (p_id, p_project_id) and (
      not p_is_written or substr(p_ciphertext, 1, 5)
        = '\x01'::bytea || int4send((select c.version from platform_private.current_salt() as c))
    ) then
    return p_ciphertext;
  end if;

  return platform_private.encrypt_secret(
    p_column, p_id, p_project_id,
    platform_private.decrypt_secret(p_column, p_old_id, p_old_project_id, p_ciphertext)
  );
end;
$$;

revoke all on function platform_private.kept_secret(text, bytea, boolean, uuid, uuid, uuid, uuid) from public;

-- scheme://host:port, without user, password and path.
create function platform_private.masked_connection_string(p_type text, p_host text, p_port integer)
returns text
language sql
immutable
set search_path = ''
as $$
  -- An unknown type still gives a string, so that it is the check on type that refuses the row.
  select case when p_type in ('mongodb', 'redis', 'postgresql', 'mysql', 'neon', 'convex') then p_type else 'unknown' end
    || '://' || p_host || ':' || p_port;
$$;

revoke all on function platform_private.masked_connection_string(text, text, integer) from public;

-- A document with "********" in place of each secret: what stands under a name that says so, and URLs with
-- a password.
create function platform_private.masked_settings(p_value jsonb, p_is_secret boolean default false)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  case jsonb_typeof(p_value)
    when 'object' then
      return (
        select coalesce(jsonb_object_agg(e.key, platform_private.masked_settings(
          e.value, p_is_secret
          or e.key ~* '(password|passwd|pwd|secret|token|credentials?|api_?key|access_?key|private_?key)$'
        )), '{}')
        from jsonb_each(p_value) as e
      );
    when 'array' then
      return (
        select coalesce(jsonb_agg(platform_private.masked_settings(e.value, p_is_secret) order by e.n), '[]')
        from jsonb_array_elements(p_value) with ordinality as e (value, n)
      );
    when 'null' then
      return p_value;
    else
      return case when p_is_secret or p_value #>> '{}' ~ '://[^/@]*:[^/@]+@' then '"********"' else p_value end;
  end case;
end;
$$;

revoke all on function platform_private.masked_settings(jsonb, boolean) from public;

-- A masked document with the secrets that an earlier one has in the same places.
create function platform_private.unmasked_settings(p_value jsonb, p_earlier jsonb)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  case jsonb_typeof(p_value)
    when 'object' then
      return (
        select coalesce(jsonb_object_agg(e.key, platform_private.unmasked_settings(e.value, p_earlier -> e.key)), '{}')
        from jsonb_each(p_value) as e
      );
    when 'array' then
      return (
        select coalesce(
          jsonb_agg(platform_private.unmasked_settings(e.value, p_earlier -> (e.n::integer - 1)) order by e.n), '[]'
        )
        from jsonb_array_elements(p_value) with ordinality as e (value, n)
      );
    else
      if p_value is distinct from '"********"' then
        return p_value;
      end if;

      if p_earlier is null then
        raise exception 'config of a database has ******** where no secret is stored'
          using
            errcode = 'check_violation',
            hint = 'It stands for the secret that was in this place. Give the secret itself.';
      end if;

      return p_earlier;
  end case;
end;
$$;

revoke all on function platform_private.unmasked_settings(jsonb, jsonb) from public;

-- Runs before each insert and update. What a row keeps:
--   connection_string            the masked form, always
--   password                     null, always
--   config                       with ******** in place of each secret
--   *_encrypted                  the full string, the password, and the document if it has secrets; never
--                                what the client wrote there
--
-- On insert, what is given is the secret. On update, the masked form (of a string before or after the
-- update), a null password and ******** mean "as it was", so that a row read and written back keeps its
-- secrets; an empty password removes it. A row without ciphertext takes what it has for the secrets. A row
-- that moves to another project, or gets another id, is encrypted anew.
--
-- Runs with the owner's rights, because the salts are the owner's alone.
create function platform.encrypt_database_connection_string()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_full text := new.connection_string;
  v_masked text := platform_private.masked_connection_string(new.type, new.host, new.port);
  v_settings jsonb;
  v_keep boolean := false;
begin
  if new.metadata is distinct from old.metadata
    and platform_private.masked_settings(new.metadata) is distinct from new.metadata then
    raise exception 'metadata of a database holds a secret'
      using
        errcode = 'check_violation',
        hint = 'It is readable. Credentials belong into connection_string, password or config, which are encrypted.';
  end if;

  if tg_op = 'UPDATE' then
    v_keep := old.connection_string_encrypted is not null and v_full in (
      v_masked, platform_private.masked_connection_string(old.type, old.host, old.port)
    );
  elsif new.connection_string_encrypted is not null and v_full = v_masked then
    raise exception 'a stored row of databases is inserted anew: its ciphertext would be lost'
      using
        errcode = 'invalid_parameter_value',
        hint = 'Give the full connection string, or restore the rows with triggers disabled.';
  end if;

  if not v_keep and v_full !~ '^[A-Za-z][A-Za-z0-9+.-]*://.' and btrim(v_full) <> '' then
    raise exception 'connection_string of a database is not a URL'
      using
        errcode = 'invalid_parameter_value',
        hint = 'Expected scheme://user:password@host:port and what follows it.';
  end if;

  if new.password is not null or tg_op = 'INSERT' then
    new.password_encrypted := platform_private.encrypt_secret(
      'password', new.id, new.project_id, nullif(new.password, '')
    );
  else
    new.password_encrypted := platform_private.kept_secret(
      'password', old.password_encrypted, new.password_encrypted is distinct from old.password_encrypted,
      old.id, old.project_id, new.id, new.project_id
    );
  end if;

  new.password := null;

  if tg_op = 'UPDATE' and old.config_encrypted is not null and new.config is not distinct from old.config then
    new.config_encrypted := platform_private.kept_secret(
      'config', old.config_encrypted, new.config_encrypted is distinct from old.config_encrypted,
      old.id, old.project_id, new.id, new.project_id
    );
  else
    v_settings := platform_private.unmasked_settings(
      new.config, platform_private.decrypt_secret('config', old.id, old.project_id, old.config_encrypted)::jsonb
    );
    new.config := platform_private.masked_settings(v_settings);
    new.config_encrypted := case
      when new.config <> v_settings
        then platform_private.encrypt_secret('config', new.id, new.project_id, v_settings::text)
    end;
  end if;

  -- An empty string is left to the constraints of the table.
  if v_full is null or btrim(v_full) = '' then
    return new;
  end if;

  if v_keep then
    new.connection_string_encrypted := platform_private.kept_secret(
      'connection_string', old.connection_string_encrypted, new.connection_string_encrypted is distinct from old.connection_string_encrypted,
      old.id, old.project_id, new.id, new.project_id
    );
  else
    new.connection_string_encrypted := platform_private.encrypt_secret(
      'connection_string', new.id, new.project_id, v_full
    );
  end if;

  new.connection_string := v_masked;
  return new;
end;
$$;

revoke all on function platform.encrypt_database_connection_string() from public;

-- Triggers of one time run in the order of their names: this one before the timestamp.
create trigger encrypt_database_connection_string_trigger
before insert or update on platform.databases
for each row execute function platform.encrypt_database_connection_string();

-- Not where ciphertexts alone are written: a rotation changes nothing that a reader sees.
create trigger update_databases_updated_at
before update of
id, project_id, name, type, host, port, database, username, password, connection_string, ssl_enabled, config, metadata,
status, health_check_status, last_health_check_at, health_check_error, created_at, updated_at
on platform.databases
for each row execute function platform.update_updated_at_column();
