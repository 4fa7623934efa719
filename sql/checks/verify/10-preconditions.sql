-- Phase 1, what the changes stand on: version, privileges, extension, base objects. Each check answers with
-- name, status, measured, expected; what it does is undone. Names without a schema are of pg_catalog.

-- check: preconditions.version
select
  'preconditions.version' as name,
  case when current_setting('server_version_num')::int >= 150000 then 'PASS' else 'FAIL' end as status,
  'PostgreSQL ' || current_setting('server_version') as measured,
  'PostgreSQL 15 or newer' as expected;

-- check: preconditions.privileges
select
  'preconditions.privileges' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(current_user || ' lacks ' || string_agg(what, ', '), current_user || ' has all') as measured,
  'CREATE and USAGE on schema platform, ownership of its tables' as expected
from (
  select p || ' on schema platform' as what
  from unnest(array['CREATE', 'USAGE']) as p
  where not has_schema_privilege(current_user, 'platform', p)
  union all
  select 'ownership of platform.' || c.relname
  from pg_class as c
  where c.relnamespace = 'platform'::regnamespace and c.relkind in ('r', 'p')
    and not pg_has_role(current_user, c.relowner, 'USAGE')
) as missing;

-- check: preconditions.pgcrypto
select
  'preconditions.pgcrypto' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' extensions' as measured,
  'extension pgcrypto, once' as expected
from pg_extension
where extname = 'pgcrypto';

-- check: preconditions.base_objects
select
  'preconditions.base_objects' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('missing: ' || string_agg(what, ', '), 'all are there') as measured,
  'tables projects, organizations, audit_logs; function update_updated_at_column()' as expected
from (
  select t as what
  from unnest(array['platform.projects', 'platform.organizations', 'platform.audit_logs']) as t
  where to_regclass(t) is null
  union all
  select f
  from unnest(array['platform.update_updated_at_column()']) as f
  where to_regprocedure(f) is null
) as missing;

-- check: preconditions.audit_shape
select
  'preconditions.audit_shape' as name,
  case when count(*) = 4 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 4 columns' as measured,
  'audit_logs with organization_id, project_id, event_type, severity' as expected
from pg_attribute
where attrelid = to_regclass('platform.audit_logs') and not attisdropped
  and attname in ('organization_id', 'project_id', 'event_type', 'severity');

-- check: preconditions.forerunner
select
  'preconditions.forerunner' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('found ' || string_agg(what, ', '), 'none') as measured,
  'nothing of the older table of the same name' as expected
from (
  select 'table ' || t as what
  from unnest(array['platform.database_metrics', 'platform.database_connection_logs']) as t
  where to_regclass(t) is not null
  union all
  select 'column databases.' || attname
  from pg_attribute
  where attrelid = to_regclass('platform.databases') and not attisdropped
    and attname in ('health_check_enabled', 'error_count', 'last_error_message', 'last_error_at')
) as old;

-- check: preconditions.roles
select
  'preconditions.roles' as name,
  case when count(*) = 4 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(rolname, ', ' order by rolname), 'none') as measured,
  'studio_app, studio_decrypt, studio_readonly, studio_system' as expected
from pg_roles
where rolname in ('studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt');
