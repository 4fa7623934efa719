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
set search_path = pg_catalog, pg_temp
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
set search_path = pg_catalog, pg_temp
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
set search_path = pg_catalog, pg_temp
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
set search_path = pg_catalog, pg_temp
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
set search_path = pg_catalog, pg_temp
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
set search_path = pg_catalog, pg_temp
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
set search_path = pg_catalog, pg_temp
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

-- A ciphertext after an update: as it is, or a new one where its row or project is another one, or where
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
set search_path = pg_catalog, pg_temp
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
