-- Encryption of connection strings by pgcrypto. No message quotes a value of a row.

-- The key of a project: lower-case hex SHA-256 over the project's id and the salt.
create function platform_private.encryption_key(p_project_id uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  v_salt text;
begin
  select s.salt into v_salt from platform_private.encryption_salts as s where s.name = 'databases';
  if not found then
    raise exception 'no encryption salt: platform_private.encryption_salts has no row named "databases"'
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = 'Write the salt from the stack''s secret before the first database is registered.';
  end if;

  return encode(public.digest(p_project_id::text || v_salt, 'sha256'), 'hex');
end;
$$;

revoke all on function platform_private.encryption_key(uuid) from public;

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

-- Runs before each insert and update. What a row keeps:
--   connection_string            the masked form, always
--   connection_string_encrypted  the full string; never what the client wrote there
--   password                     null, always; one that the full string does not carry is refused
--
-- On insert, the string given is the full one. On update, the masked form (before or after the
-- update) means "as it was", so that a row read and written back keeps its secret; anything else is
-- a new full string. A row without ciphertext takes whatever string it has for the full one. A row
-- moved to another project is encrypted anew with that project's key.
--
-- Runs with the owner's rights, because the salt is the owner's alone.
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
  v_secret_key constant jsonpath := '$.** ? (@.type() == "object").keyvalue() ? (@.key like_regex '
    '"(password|passwd|pwd|secret|token|credentials?|api_?key|access_?key|private_?key)$" flag "i")';
  v_secret_url constant jsonpath := '$.** ? (@.type() == "string") ? (@ like_regex "://[^/@]*:[^/@]+@")';
  v_keep boolean := false;
begin
  if new.config is distinct from old.config or new.metadata is distinct from old.metadata then
    if new.config @? v_secret_key or new.config @? v_secret_url
      or new.metadata @? v_secret_key or new.metadata @? v_secret_url then
      raise exception 'config or metadata of a database holds a secret'
        using
          errcode = 'check_violation',
          hint = 'Both are readable. Credentials belong into connection_string, which is encrypted.';
    end if;
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

  if new.password is not null and (v_keep or v_full !~* '(://[^@]*:.+@)|([?&]password=.)') then
    raise exception 'password of a database is kept only within its connection_string'
      using
        errcode = 'invalid_parameter_value',
        hint = 'Give the full connection string, scheme://user:password@host:port and what follows it.';
  end if;

  new.password := null;

  -- An empty string is left to the constraints of the table.
  if v_full is null or btrim(v_full) = '' then
    return new;
  end if;

  if not v_keep then
    new.connection_string_encrypted :=
      public.pgp_sym_encrypt(v_full, platform_private.encryption_key(new.project_id));
  elsif new.project_id is distinct from old.project_id then
    new.connection_string_encrypted := public.pgp_sym_encrypt(
      public.pgp_sym_decrypt(old.connection_string_encrypted, platform_private.encryption_key(old.project_id)),
      platform_private.encryption_key(new.project_id)
    );
  else
    new.connection_string_encrypted := old.connection_string_encrypted;
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

create trigger update_databases_updated_at
before update on platform.databases
for each row execute function platform.update_updated_at_column();

-- Null if the registration is unknown or has no ciphertext; raises if the key does not fit.
create function platform.decrypt_database_connection_string(p_database_id uuid)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_project_id uuid;
  v_ciphertext bytea;
begin
  select d.project_id, d.connection_string_encrypted
  into v_project_id, v_ciphertext
  from platform.databases as d
  where d.id = p_database_id;

  if v_ciphertext is null then
    return null;
  end if;

  return public.pgp_sym_decrypt(v_ciphertext, platform_private.encryption_key(v_project_id));
end;
$$;

revoke all on function platform.decrypt_database_connection_string(uuid) from public;
