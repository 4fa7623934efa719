-- What the audit trail is made of, by names and definitions. A column that an environment has beside these is a
-- WARNING: it was adopted with its table.

-- check: shape.user_audits
with expected (column_name, column_type, not_null, column_default) as (
  values
    ('id', 'uuid', true, 'gen_random_uuid()'), ('userId', 'uuid', true, null), ('action', 'text', true, null),
    ('performedBy', 'uuid', false, null), ('changes', 'jsonb', false, null), ('reason', 'text', false, null),
    ('metadata', 'jsonb', false, null), ('createdAt', 'timestamp with time zone', true, 'now()')
),

found as (
  select
    a.attname::text collate "default" as column_name, format_type(a.atttypid, a.atttypmod) as column_type,
    a.attnotnull as not_null, pg_get_expr(d.adbin, d.adrelid) as column_default
  from pg_attribute as a
  left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = to_regclass('public.user_audits') and a.attnum > 0 and not a.attisdropped
),

compared as (
  select
    coalesce(e.column_name, f.column_name) as column_name, e.column_name is null as is_extra,
    coalesce(
      (e.column_type, e.not_null) = (f.column_type, f.not_null) and e.column_default is not distinct from f.column_default,
      false
    ) as is_equal
  from expected as e
  full join found as f on f.column_name = e.column_name
)

select
  'shape.user_audits' as name,
  case
    when not bool_and(is_equal or is_extra) then 'FAIL' when bool_or(is_extra) then 'WARNING' else 'PASS'
  end as status,
  count(*) filter (where is_equal) || ' of 8 columns'
    || coalesce('; not as expected: ' || string_agg(column_name, ', ') filter (where not is_equal and not is_extra), '')
    || coalesce('; more: ' || string_agg(column_name, ', ') filter (where is_extra), '') as measured,
  '8 columns of these names, types and defaults' as expected
from compared;

-- check: shape.upload_errors
with expected (column_name, column_type, not_null, column_default) as (
  values
    ('id', 'uuid', true, 'gen_random_uuid()'), ('correlationId', 'text', true, null), ('errorType', 'text', true, null),
    ('message', 'text', true, null), ('userMessage', 'text', true, null), ('details', 'text', false, null),
    ('userId', 'uuid', false, null), ('timestamp', 'timestamp with time zone', true, 'now()'),
    ('retryable', 'boolean', true, 'false'), ('resolved', 'boolean', true, 'false'), ('resolvedBy', 'uuid', false, null),
    ('resolvedAt', 'timestamp with time zone', false, null)
),

found as (
  select
    a.attname::text collate "default" as column_name, format_type(a.atttypid, a.atttypmod) as column_type,
    a.attnotnull as not_null, pg_get_expr(d.adbin, d.adrelid) as column_default
  from pg_attribute as a
  left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = to_regclass('public.upload_errors') and a.attnum > 0 and not a.attisdropped
),

compared as (
  select
    coalesce(e.column_name, f.column_name) as column_name, e.column_name is null as is_extra,
    coalesce(
      (e.column_type, e.not_null) = (f.column_type, f.not_null) and e.column_default is not distinct from f.column_default,
      false
    ) as is_equal
  from expected as e
  full join found as f on f.column_name = e.column_name
)

select
  'shape.upload_errors' as name,
  case
    when not bool_and(is_equal or is_extra) then 'FAIL' when bool_or(is_extra) then 'WARNING' else 'PASS'
  end as status,
  count(*) filter (where is_equal) || ' of 12 columns'
    || coalesce('; not as expected: ' || string_agg(column_name, ', ') filter (where not is_equal and not is_extra), '')
    || coalesce('; more: ' || string_agg(column_name, ', ') filter (where is_extra), '') as measured,
  '12 columns of these names, types and defaults' as expected
from compared;

-- check: shape.profiles
with expected (column_name, column_type) as (
  values ('deletedAt', 'timestamp with time zone'), ('deletedBy', 'uuid'), ('deletionReason', 'text')
)

select
  'shape.profiles' as name,
  case when count(a.attname) = 3 then 'PASS' else 'FAIL' end as status,
  count(a.attname) || ' of 3'
    || coalesce('; not as expected: ' || string_agg(e.column_name, ', ') filter (where a.attname is null), '') as measured,
  'three nullable columns of a soft deletion' as expected
from expected as e
left join pg_attribute as a
  on a.attrelid = to_regclass('public.profiles') and a.attname = e.column_name and not a.attisdropped
  and format_type(a.atttypid, a.atttypmod) = e.column_type and not a.attnotnull;

-- check: shape.constraints
with expected (table_name, constraint_name, definition) as (
  values
    ('user_audits', 'user_audits_pkey', 'PRIMARY KEY (id)'),
    (
      'user_audits', 'user_audits_userId_fkey',
      'FOREIGN KEY ("userId") REFERENCES public.profiles(id) ON UPDATE CASCADE ON DELETE CASCADE'
    ),
    (
      'user_audits', 'user_audits_performedBy_fkey',
      'FOREIGN KEY ("performedBy") REFERENCES public.profiles(id) ON UPDATE CASCADE ON DELETE SET NULL'
    ),
    ('user_audits', 'user_audits_action_check', 'CHECK%CREATE%UPDATE%DELETE%RESTORE%'),
    ('upload_errors', 'upload_errors_pkey', 'PRIMARY KEY (id)'),
    (
      'upload_errors', 'upload_errors_userId_fkey',
      'FOREIGN KEY ("userId") REFERENCES public.profiles(id) ON UPDATE CASCADE ON DELETE SET NULL'
    ),
    (
      'upload_errors', 'upload_errors_resolvedBy_fkey',
      'FOREIGN KEY ("resolvedBy") REFERENCES public.profiles(id) ON UPDATE CASCADE ON DELETE SET NULL'
    ),
    (
      'profiles', 'profiles_deletedBy_fkey',
      'FOREIGN KEY ("deletedBy") REFERENCES public.profiles(id) ON UPDATE CASCADE ON DELETE SET NULL'
    )
)

select
  'shape.constraints' as name,
  case when count(c.oid) = count(*) then 'PASS' else 'FAIL' end as status,
  count(c.oid) || ' of ' || count(*)
    || coalesce('; not as expected: ' || string_agg(e.constraint_name, ', ') filter (where c.oid is null), '') as measured,
  '8 validated constraints; audit rows go with their profile, other references become null' as expected
from expected as e
left join pg_constraint as c
  on c.conrelid = to_regclass('public.' || e.table_name) and c.conname = e.constraint_name and c.convalidated
  and pg_get_constraintdef(c.oid) like e.definition;

-- check: shape.view
select
  'shape.view' as name,
  case
    when columns = 'errorType text, total_count bigint, unresolved_count bigint, retryable_count bigint, '
      || 'affected_users bigint, first_occurrence timestamp with time zone, last_occurrence timestamp with time zone, '
      || 'avg_hours_to_resolve numeric' and runs_as_reader then 'PASS'
    else 'FAIL'
  end as status,
  coalesce(columns, 'no view') || case when runs_as_reader then '' else '; with the rights of its owner' end as measured,
  '8 columns, with the rights of the reader' as expected
from (
  select
    (
      select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
      from pg_attribute as a
      where a.attrelid = to_regclass('public.upload_error_stats') and a.attnum > 0
    ) as columns,
    exists (
      select from pg_class as c, unnest(c.reloptions) as o
      where c.oid = to_regclass('public.upload_error_stats') and c.relkind = 'v' and o in ('security_invoker=true', 'security_invoker=on')
    ) as runs_as_reader
) as found;
