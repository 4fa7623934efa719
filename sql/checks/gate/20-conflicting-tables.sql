-- kind: plan
-- Earlier migrations made tables of the same names in other shapes. They are told by columns that only one of the shapes has.
with shapes (name, needed) as (
  values ('databases', '{host,port,connection_string_encrypted,health_check_status}'::text[]),
         ('audit_logs', '{organization_id}'::text[])
), missing as (
  select s.name, array(select needed from unnest(s.needed) with ordinality as of_shape (needed, place)
                        where not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname::text = needed)
                        order by place) as columns
    from shapes s
    join pg_class c on c.relname::text = s.name and c.relkind in ('r', 'p')
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'platform'
)
select 'conflicting-tables' as name,
       case when count(*) filter (where cardinality(columns) > 0) = 0 then 'PASS' else 'NO-GO' end as status,
       coalesce(string_agg(format('platform.%s lacks %s', name, array_to_string(columns, ', ')), '; ' order by name desc)
                  filter (where cardinality(columns) > 0), 'none') as measured,
       'no platform.databases or platform.audit_logs of another shape' as expected,
       'Rename the table of the earlier migration, let the update create its own, and copy the rows.' as mend
from missing
