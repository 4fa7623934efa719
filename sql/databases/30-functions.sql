-- What the application asks of the registry. Both run with the caller's rights and policies.

-- Registrations of a project that are not inactive, newest first; of one type if p_type is given.
create function platform.get_project_databases(p_project_id uuid, p_type text default null)
returns table (
  id uuid,
  project_id uuid,
  name text,
  type text,
  host text,
  port integer,
  database text,
  ssl_enabled boolean,
  config jsonb,
  status text,
  health_check_status text,
  last_health_check_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    d.id,
    d.project_id,
    d.name,
    d.type,
    d.host,
    d.port,
    d.database,
    d.ssl_enabled,
    d.config,
    d.status,
    d.health_check_status,
    d.last_health_check_at,
    d.created_at,
    d.updated_at
  from platform.databases as d
  where d.project_id = p_project_id and (p_type is null or d.type = p_type) and d.status <> 'inactive'
  order by d.created_at desc;
end;
$$;

revoke all on function platform.get_project_databases(uuid, text) from public;

-- Records a health check. True if the registration exists; an unknown status is refused by the table.
create function platform.update_database_health(
  p_database_id uuid,
  p_health_status text,
  p_error_message text default null
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update platform.databases
  set
    health_check_status = p_health_status,
    last_health_check_at = now(),
    health_check_error = p_error_message,
    updated_at = now()
  where id = p_database_id;

  return found;
end;
$$;

revoke all on function platform.update_database_health(uuid, text, text) from public;
