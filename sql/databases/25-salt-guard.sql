-- Keeps the salts usable: long enough, and not lost as long as ciphertexts hang on them. A rotation makes a
-- new one beside the old one, which goes when no ciphertext has its key version any more. A check constraint
-- would quote the refused salt in its error; this does not.

create function platform_private.guard_encryption_salt()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'DELETE' and length(new.salt) < 32 then
    raise exception 'encryption salt "%" has % characters, expected at least 32', new.name, length(new.salt)
      using errcode = 'invalid_parameter_value';
  end if;

  if tg_op = 'INSERT' or old.name not in ('databases', 'databases.next') then
    return coalesce(new, old);
  end if;

  if (tg_op = 'DELETE' or new.name <> old.name or new.salt <> old.salt or new.version <> old.version)
    and not exists (
      select from platform_private.encryption_salts as s
      where s.name in ('databases', 'databases.next') and s.name <> old.name
        and s.version = old.version and s.salt = old.salt
    )
    and (
      exists (
        select from platform.databases as d
        where old.version in (
          platform_private.key_version(d.connection_string_encrypted),
          platform_private.key_version(d.password_encrypted),
          platform_private.key_version(d.config_encrypted)
        )
      )
      or exists (
        select from platform_private.credential_rotations as r
        where old.version in (
          platform_private.key_version(r.successor_encrypted), platform_private.key_version(r.replaced_encrypted)
        )
      )
    ) then
    raise exception 'encryption salt "%" is in use: ciphertexts depend on it', old.name
      using
        errcode = 'object_in_use',
        hint = 'A rotation replaces it and keeps them readable: npm run rotate -- salt.';
  end if;

  return coalesce(new, old);
end;
$$;

revoke all on function platform_private.guard_encryption_salt() from public;

create trigger guard_encryption_salt
before insert or update or delete on platform_private.encryption_salts
for each row execute function platform_private.guard_encryption_salt();
