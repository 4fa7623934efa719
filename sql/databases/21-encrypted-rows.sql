-- What a row of the registry keeps: its secrets as ciphertexts, and masked forms in their place.

-- scheme://host:port, without user, password and path.
create function platform_private.masked_connection_string(p_type text, p_host text, p_port integer)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  -- An unknown type still gives a string, so that it is the check on type that refuses the row.
  select case when p_type in ('mongodb', 'redis', 'postgresql', 'mysql', 'neon', 'convex') then p_type else 'unknown' end
    || '://' || p_host || ':' || p_port;
$$;

revoke all on function platform_private.masked_connection_string(text, text, integer) from public;

-- Whether what a name stands for is a secret. Rather too many than too few: a masked value is whole where it is
-- decrypted.
create function platform_private.is_secret_name(p_name text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select regexp_replace(lower(p_name), '[^a-z0-9]', '', 'g') ~ (
    '(passw|passphrase|pwd|secret|token|credential|authorization|cookie|apikey|accesskey|privatekey|connectionstring'
    || '|certkey|deploykey|signature)|(pass|auth|dsn|key|keys|keypem|jwt|sas)[0-9]*$'
  );
$$;

revoke all on function platform_private.is_secret_name(text) from public;

-- Whether a text says by its form that it has a secret: a URL with a user, a parameter with such a name, the
-- header of a request, a private key.
create function platform_private.has_secret_form(p_text text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select p_text ~ '://[^/@\s]+@'
    -- A password may have a raw slash in it; a port and a path are no password.
    or p_text ~ '://[^/@:\s]*:(?!\d{1,5}/)[^@\s]*@'
    or p_text ~* '(^|[\s:])(bearer|basic)\s+[a-z0-9+/=_.-]{6}|-----BEGIN [A-Z ]*PRIVATE KEY'
    or exists (
      select from regexp_matches(p_text, '(?:^|[?&;#,\s])([A-Za-z0-9_.-]{1,64})\s*=\s*[^\s&;]', 'g') as m
      where platform_private.is_secret_name(m[1])
    );
$$;

revoke all on function platform_private.has_secret_form(text) from public;

-- A document with "********" in place of each secret: what stands under a name that says so, also where the
-- name is a value beside it, and texts that say so by their form.
create function platform_private.masked_settings(p_value jsonb, p_is_secret boolean default false)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  case jsonb_typeof(p_value)
    when 'object' then
      return (
        select coalesce(jsonb_object_agg(e.key, platform_private.masked_settings(
          e.value, p_is_secret
          or platform_private.is_secret_name(e.key)
          or n.is_secret and e.value <> n.name
        )), '{}')
        from jsonb_each(p_value) as e
        cross join (
          select s.value as name, coalesce(platform_private.is_secret_name(s.value #>> '{}'), false) as is_secret
          from (select null) as one
          left join lateral (
            select v.value
            from jsonb_each(p_value) as v
            where v.key ~* '^(name|key|header|field|parameter|variable|id)$' and jsonb_typeof(v.value) = 'string'
            order by platform_private.is_secret_name(v.value #>> '{}') desc
            limit 1
          ) as s on true
        ) as n
      );
    when 'array' then
      return (
        select coalesce(jsonb_agg(platform_private.masked_settings(e.value, p_is_secret) order by e.n), '[]')
        from jsonb_array_elements(p_value) with ordinality as e (value, n)
      );
    when 'null' then
      return p_value;
    else
      return case when p_is_secret or platform_private.has_secret_form(p_value #>> '{}') then '"********"' else p_value end;
  end case;
end;
$$;

revoke all on function platform_private.masked_settings(jsonb, boolean) from public;

-- A masked document with the secrets that an earlier one has in the same places.
create function platform_private.unmasked_settings(p_value jsonb, p_earlier jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
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
set search_path = pg_catalog, pg_temp
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

  if tg_op = 'UPDATE' and old.config_encrypted is not null and new.config is not distinct from old.config
    and platform_private.masked_settings(new.config) = new.config then
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
