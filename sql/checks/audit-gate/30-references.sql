-- kind: plan
-- A foreign key cannot be made, or validated, over rows that refer to profiles which are not there. The columns may not be there yet, so
-- each query is a text.
with keys (relation, column_name) as (
  values ('profiles', 'deletedBy'), ('user_audits', 'userId'), ('user_audits', 'performedBy'), ('upload_errors', 'userId')
), counted as (
  select relation || '.' || column_name as what,
         (xpath('/table/row/n/text()', query_to_xml(
           format('select count(*) as n from public.%I as t where t.%I is not null and not exists (select from public.profiles p where p.id = t.%I)',
                  relation, column_name, column_name), false, false, '')))[1]::text::bigint as orphans
    from keys
   where to_regclass('public.profiles') is not null
     and exists (select from pg_attribute a
                  where a.attrelid = to_regclass('public.' || relation) and a.attname::text = column_name and not a.attisdropped
                    and a.atttypid = 'uuid'::regtype)
)
select 'references' as name,
       case when coalesce(sum(orphans), 0) = 0 then 'PASS' else 'NO-GO' end as status,
       coalesce(string_agg(what || ': ' || orphans || ' rows', ', ') filter (where orphans > 0), 'none') as measured,
       'no row that refers to a profile which is not there' as expected,
       'Set the column to null, or remove the rows.' as mend
from counted
