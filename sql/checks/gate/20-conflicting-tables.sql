-- kind: plan
-- Earlier migrations made tables of the same names in other shapes. Each is told by a column of its own and by the lack of one of ours.
with shapes (name, theirs, ours) as (
  values ('databases', 'error_count', 'connection_string_encrypted'),
         ('audit_logs', 'entity_type', 'organization_id'),
         ('project_addons', 'addon_variant', 'addon_id'),
         ('project_metrics', 'bandwidth_in_gb', 'network_in_bytes')
), found as (
  select s.*
    from shapes s
    join pg_class c on c.relname::text = s.name and c.relkind in ('r', 'p')
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'platform'
   where exists (select from pg_attribute a where a.attrelid = c.oid and a.attname::text = s.theirs)
     and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname::text = s.ours)
)
select 'conflicting-tables' as name,
       case when count(*) = 0 then 'PASS' else 'NO-GO' end as status,
       coalesce(string_agg(format('platform.%s has %s and lacks %s', name, theirs, ours), '; ' order by name), 'none') as measured,
       'no table of an earlier migration in another shape' as expected,
       'Rename the table, let the update create its own, and copy the rows.' as mend
from found
