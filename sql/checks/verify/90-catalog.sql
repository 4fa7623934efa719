-- What an interrupted change may leave in the managed schemas.

-- check: catalog.indexes_are_valid
select
  'catalog.indexes_are_valid' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('invalid: ' || string_agg(c.relname, ', ' order by c.relname), 'all are') as measured,
  'no invalid index' as expected
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
where not (i.indisvalid and i.indisready)
  and c.relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_private'::regnamespace);

-- check: catalog.constraints_are_validated
select
  'catalog.constraints_are_validated' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('not validated: ' || string_agg(conname, ', ' order by conname), 'all are') as measured,
  'no constraint NOT VALID' as expected
from pg_constraint
where not convalidated and connamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_private'::regnamespace);

-- check: catalog.triggers_are_enabled
select
  'catalog.triggers_are_enabled' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('disabled: ' || string_agg(c.relname || '.' || t.tgname, ', ' order by c.relname, t.tgname), 'none') as measured,
  'no trigger disabled, nor one of a foreign key' as expected
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
where t.tgenabled not in ('O', 'A') and c.relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_private'::regnamespace);

-- check: catalog.sequences_are_ahead
select
  'catalog.sequences_are_ahead' as name,
  case when count(*) filter (where reached >= next) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(
    'behind: ' || string_agg(sequence_name, ', ') filter (where reached >= next), count(*) || ' sequences, none behind'
  ) as measured,
  'each sequence beyond the values of its column' as expected
from (
  select
    s.oid::regclass::text as sequence_name,
    -- The next value, of a sequence that counts down negated.
    case when q.increment_by < 0 then -1 else 1 end
      * coalesce(q.last_value + q.increment_by, q.start_value)::numeric as next,
    (xpath('/row/reached/text()', query_to_xml(
      format(
        'select %s(%I)::numeric * %s as reached from %I.%I',
        case when q.increment_by < 0 then 'min' else 'max' end, a.attname,
        case when q.increment_by < 0 then -1 else 1 end, n.nspname, t.relname
      ), false, true, ''
    )))[1]::text::numeric as reached
  from pg_class as s
  join pg_depend as d on d.objid = s.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  join pg_class as t on t.oid = d.refobjid and d.refclassid = 'pg_class'::regclass
  join pg_attribute as a on a.attrelid = t.oid and a.attnum = d.refobjsubid
  join pg_namespace as n on n.oid = t.relnamespace
  join pg_sequences as q on q.schemaname = (select nspname from pg_namespace where oid = s.relnamespace)
    and q.sequencename = s.relname
  where s.relkind = 'S' and n.nspname in ('platform', 'platform_access', 'platform_private')
) as sequences;

-- check: catalog.tables_have_rls
select
  'catalog.tables_have_rls' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('without, and readable: ' || string_agg(what, ', ' order by what), 'none') as measured,
  'row-level security on each table that an application role may read or write' as expected
from (
  select distinct n.nspname || '.' || c.relname as what
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  cross join unnest(array['studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt']) as r
  where c.relkind in ('r', 'p') and not c.relrowsecurity and n.nspname in ('platform', 'platform_access', 'platform_private')
    and has_schema_privilege(r, n.oid, 'USAGE')
    and (
      has_any_column_privilege(r, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
      or has_table_privilege(r, c.oid, 'DELETE, TRUNCATE')
    )
) as bare;

-- check: catalog.nothing_is_left_of_a_change
select
  'catalog.nothing_is_left_of_a_change' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('left: ' || string_agg(what, ', ' order by what), 'nothing') as measured,
  'no index that CREATE INDEX CONCURRENTLY or REINDEX has left' as expected
from (
  select c.relname::text as what
  from pg_class as c
  where c.relkind = 'i' and c.relname ~ '_cc(new|old)[0-9]*$'
    and c.relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_private'::regnamespace)
) as leftovers;
