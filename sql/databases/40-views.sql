-- Two views on the registry, both under the reader's own rights and policies (security_invoker):
-- one without secrets, one with the decrypted secrets.

create view platform.databases_safe
with (security_invoker = true) as
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
  d.metadata,
  d.status,
  d.health_check_status,
  d.last_health_check_at,
  d.created_at,
  d.updated_at,
  case
    when d.type in ('mongodb', 'redis', 'postgresql', 'mysql', 'neon', 'convex') then d.type || '://' || d.host || ':' || d.port
  end as connection_string_masked
from platform.databases as d;

comment on view platform.databases_safe is 'Registered databases without secrets';

create view platform.databases_with_connection_strings
with (security_invoker = true) as
select
  d.id,
  d.project_id,
  d.name,
  d.type,
  d.host,
  d.port,
  d.database,
  d.username,
  s.password,
  s.connection_string as connection_string_decrypted,
  d.ssl_enabled,
  s.config,
  d.metadata,
  d.status,
  d.health_check_status,
  d.last_health_check_at,
  d.health_check_error,
  d.created_at,
  d.updated_at
from platform.databases as d
left join lateral platform.decrypt_databases(array[d.id]) as s on true;

comment on view platform.databases_with_connection_strings is
  'Registered databases with their secrets decrypted, one decryption a row; decrypt_databases reads many in one';
