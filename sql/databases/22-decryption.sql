-- How secrets are read: by these functions alone. Each call that reads leaves a row in platform_audit.decryptions
-- and a line in the server's log for each hundred ids, which stays where a reader rolls back.

-- The ids are those that are read, not those that are asked for: a list of unknown ones, or an array of another
-- form, would hide them.
create function platform_private.note_decryption(p_database_ids uuid[], p_columns text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role name := coalesce(nullif(current_setting('role'), 'none'), session_user);
  v_ids uuid[];
begin
  if current_setting('transaction_read_only')::boolean then
    raise exception 'a decryption leaves a row in platform_audit.decryptions, and this transaction is read-only'
      using
        errcode = 'read_only_sql_transaction',
        hint = 'Decrypt in a transaction that may write, on the primary server.';
  end if;

  if p_database_ids = '{}' then
    return;
  end if;

  insert into platform_audit.decryptions (session_role, caller_role, client_address, column_names, database_ids)
  values (session_user, v_role, inet_client_addr(), p_columns, p_database_ids);

  for v_from in 1..cardinality(p_database_ids) by 100 loop
    v_ids := p_database_ids[v_from:v_from + 99];
    raise log 'decrypted % of % databases (%) for role %, signed in as %',
      array_to_string(p_columns, ', '), cardinality(v_ids), array_to_string(v_ids, ', '),
      quote_ident(v_role), quote_ident(session_user);
  end loop;
end;
$$;

revoke all on function platform_private.note_decryption(uuid[], text[]) from public;

-- For the owner, who compares a string with the stored one within the database: no note, because nothing
-- leaves it.
create function platform_private.connection_string_of(p_database_id uuid)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select platform_private.decrypt_secret('connection_string', d.id, d.project_id, d.connection_string_encrypted)
    from platform.databases as d
    where d.id = p_database_id
  );
end;
$$;

revoke all on function platform_private.connection_string_of(uuid) from public;

-- Null if the registration is unknown or has no ciphertext; raises if the ciphertext is not its own.
create function platform.decrypt_database_connection_string(p_database_id uuid)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform platform_private.note_decryption(
    array(select d.id from platform.databases as d where d.id = p_database_id), array['connection_string']
  );
  return platform_private.connection_string_of(p_database_id);
end;
$$;

revoke all on function platform.decrypt_database_connection_string(uuid) from public;

-- All secrets of many registrations in one statement, with one note. config is the document with its secrets.
create function platform.decrypt_databases(p_database_ids uuid[])
returns table (id uuid, connection_string text, password text, config jsonb)
language plpgsql
volatile
security definer
rows 1
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids constant uuid[] := array(
    select d.id from platform.databases as d where d.id = any (p_database_ids) order by d.id
  );
begin
  perform platform_private.note_decryption(v_ids, array['connection_string', 'password', 'config']);

  return query
  select
    d.id,
    platform_private.decrypt_secret('connection_string', d.id, d.project_id, d.connection_string_encrypted),
    platform_private.decrypt_secret('password', d.id, d.project_id, d.password_encrypted),
    coalesce(platform_private.decrypt_secret('config', d.id, d.project_id, d.config_encrypted)::jsonb, d.config)
  from platform.databases as d
  where d.id = any (v_ids);
end;
$$;

revoke all on function platform.decrypt_databases(uuid[]) from public;
