-- Rights of the access roles on the registry. A stack without these roles leaves this file out.
-- Ciphertexts are written by trigger only and read by studio_decrypt only.

grant select (
  id, project_id, name, type, host, port, database, username, connection_string, ssl_enabled, config, metadata, status,
  health_check_status, last_health_check_at, health_check_error, created_at, updated_at
) on platform.databases to studio_app, studio_system;

grant insert (
  id, project_id, name, type, host, port, database, username, password, connection_string, ssl_enabled, config,
  metadata, status, health_check_status, last_health_check_at, health_check_error, created_at, updated_at
), delete on platform.databases to studio_app, studio_system;

-- The application moves no registration to another project: sql/platform/90-grants.sql.
grant update (
  id, name, type, host, port, database, username, password, connection_string, ssl_enabled, config, metadata, status,
  health_check_status, last_health_check_at, health_check_error, created_at, updated_at
) on platform.databases to studio_app;

grant update (
  id, project_id, name, type, host, port, database, username, password, connection_string, ssl_enabled, config,
  metadata, status, health_check_status, last_health_check_at, health_check_error, created_at, updated_at
) on platform.databases to studio_system;

-- The columns of databases_safe.
grant select (
  id, project_id, name, type, host, port, database, ssl_enabled, config, metadata, status, health_check_status,
  last_health_check_at, created_at, updated_at
) on platform.databases to studio_readonly;

grant select on platform.databases_safe to studio_app, studio_readonly, studio_system;

grant execute on function platform.get_project_databases(uuid, text) to studio_app, studio_readonly, studio_system;
grant execute on function platform.update_database_health(uuid, text, text) to studio_app, studio_system;

grant select on platform.databases, platform.databases_with_connection_strings to studio_decrypt;
grant execute on function platform.decrypt_database_connection_string(uuid), platform.decrypt_databases(uuid[])
to studio_decrypt;
grant execute on function platform.record_database_health(uuid, text, text, integer) to studio_decrypt;
