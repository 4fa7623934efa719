-- Phase 2, the registry: columns, indexes, constraints, functions, views and triggers, by their names.

-- check: table.present
select
  'table.present' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' tables' as measured,
  'table platform.databases' as expected
from pg_class
where oid = to_regclass('platform.databases') and relkind = 'r';

-- check: table.columns
with expected (column_name, column_type, not_null) as (
  values
    ('id', 'uuid', true), ('project_id', 'uuid', true), ('name', 'text', true), ('type', 'text', true),
    ('host', 'text', true), ('port', 'integer', true), ('database', 'text', false), ('username', 'text', false),
    ('password', 'text', false), ('connection_string', 'text', true), ('connection_string_encrypted', 'bytea', false),
    ('ssl_enabled', 'boolean', false), ('config', 'jsonb', false), ('metadata', 'jsonb', false),
    ('status', 'text', true), ('health_check_status', 'text', false),
    ('last_health_check_at', 'timestamp with time zone', false), ('health_check_error', 'text', false),
    ('created_at', 'timestamp with time zone', true), ('updated_at', 'timestamp with time zone', true),
    ('password_encrypted', 'bytea', false), ('config_encrypted', 'bytea', false)
),

found as (
  select attname::text collate "default" as column_name, format_type(atttypid, atttypmod) as column_type, attnotnull as not_null
  from pg_attribute
  where attrelid = to_regclass('platform.databases') and attnum > 0 and not attisdropped
)

select
  'table.columns' as name,
  case when bool_and(is_equal) then 'PASS' else 'FAIL' end as status,
  count(*) filter (where is_there) || ' columns' || coalesce(
    '; not as expected: ' || string_agg(column_name, ', ') filter (where not is_equal), ''
  ) as measured,
  '22 columns of these names and types' as expected
from (
  select
    coalesce(e.column_name, f.column_name) as column_name,
    f.column_name is not null as is_there,
    coalesce(e.column_type = f.column_type and e.not_null = f.not_null, false) as is_equal
  from expected as e
  full join found as f on f.column_name = e.column_name
) as compared;

-- check: table.indexes
with expected (index_name) as (
  values
    ('databases_pkey'), ('idx_databases_project_id'), ('idx_databases_type'), ('idx_databases_status'),
    ('idx_databases_project_type_status'), ('idx_databases_health_check'), ('idx_databases_created_at'),
    ('idx_databases_updated_at')
)

select
  'table.indexes' as name,
  case when count(*) filter (where i.indexrelid is null) = 0 then 'PASS' else 'FAIL' end as status,
  count(i.indexrelid) || ' of 8'
    || coalesce('; missing: ' || string_agg(e.index_name, ', ') filter (where i.indexrelid is null), '') as measured,
  '8 usable indexes: 7 by name and the primary key' as expected
from expected as e
left join pg_index as i
  on i.indexrelid = to_regclass('platform.' || e.index_name) and i.indrelid = to_regclass('platform.databases')
  and i.indisvalid;

-- check: table.constraints
with expected (constraint_name) as (
  values
    ('databases_pkey'), ('databases_project_id_fkey'), ('databases_name_not_empty'), ('databases_type_check'),
    ('databases_host_not_empty'), ('databases_port_check'), ('databases_connection_string_not_empty'),
    ('databases_status_check'), ('databases_health_check_status_check')
)

select
  'table.constraints' as name,
  case when count(*) filter (where c.oid is null) = 0 then 'PASS' else 'FAIL' end as status,
  count(c.oid) || ' of 9'
    || coalesce('; missing: ' || string_agg(e.constraint_name, ', ') filter (where c.oid is null), '') as measured,
  '9 validated constraints; the foreign key deletes with its project' as expected
from expected as e
left join pg_constraint as c
  on c.conname = e.constraint_name and c.conrelid = to_regclass('platform.databases') and c.convalidated
  and (c.contype <> 'f' or c.confdeltype = 'c');

-- check: table.functions
select
  'table.functions' as name,
  case when count(*) filter (where to_regprocedure(f) is null) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('missing: ' || string_agg(f, ', ') filter (where to_regprocedure(f) is null), '5 functions') as measured,
  '5 functions' as expected
from unnest(array[
  'platform.encrypt_database_connection_string()', 'platform.decrypt_database_connection_string(uuid)',
  'platform.decrypt_databases(uuid[])',
  'platform.get_project_databases(uuid, text)', 'platform.update_database_health(uuid, text, text)'
]) as f;

-- check: table.views
select
  'table.views' as name,
  case when count(*) = 2 then 'PASS' else 'FAIL' end as status,
  count(*) || ' views' as measured,
  'databases_safe and databases_with_connection_strings, both security_invoker' as expected
from pg_class
where oid in (to_regclass('platform.databases_safe'), to_regclass('platform.databases_with_connection_strings'))
  and relkind = 'v' and reloptions @> array['security_invoker=true'];

-- check: table.triggers
select
  'table.triggers' as name,
  case when count(*) = 2 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(tgname, ', ' order by tgname), 'none') as measured,
  'encrypt_database_connection_string_trigger and update_databases_updated_at, enabled' as expected
from pg_trigger
where tgrelid = to_regclass('platform.databases') and tgenabled in ('O', 'A')
  and tgname in ('encrypt_database_connection_string_trigger', 'update_databases_updated_at');
