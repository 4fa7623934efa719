-- Keeps the salt usable: long enough, and unchanged as long as ciphertexts hang on it. To change it,
-- remove the registrations, write the new salt and register again. A check constraint would quote the
-- refused salt in its error; this does not.

create function platform_private.guard_encryption_salt()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  if tg_op <> 'DELETE' and length(new.salt) < 32 then
    raise exception 'encryption salt "%" has % characters, expected at least 32', new.name, length(new.salt)
      using errcode = 'invalid_parameter_value';
  end if;

  if tg_op = 'INSERT' or old.name <> 'databases' then
    return coalesce(new, old);
  end if;

  if (tg_op = 'DELETE' or new.name <> old.name or new.salt <> old.salt)
    and exists (select 1 from platform.databases as d where d.connection_string_encrypted is not null) then
    raise exception 'encryption salt "databases" is in use: ciphertexts depend on it'
      using
        errcode = 'object_in_use',
        hint = 'Remove the registered databases first; register them again after the salt has changed.';
  end if;

  return coalesce(new, old);
end;
$$;

revoke all on function platform_private.guard_encryption_salt() from public;

create trigger guard_encryption_salt
before insert or update or delete on platform_private.encryption_salts
for each row execute function platform_private.guard_encryption_salt();
