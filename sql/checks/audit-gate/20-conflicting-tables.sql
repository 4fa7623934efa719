-- kind: plan
-- Documents of the original plan describe other shapes than its migrations. What has one of them is not adopted by a change of type.
with shapes (relation, column_name, column_type) as (
  values ('user_audits', 'id', 'uuid'), ('user_audits', 'userId', 'uuid'), ('user_audits', 'action', 'text'),
         ('user_audits', 'changes', 'jsonb'), ('upload_errors', 'id', 'uuid'), ('upload_errors', 'correlationId', 'text'),
         ('upload_errors', 'errorType', 'text'), ('upload_errors', 'details', 'text'), ('upload_errors', 'userId', 'uuid'),
         ('profiles', 'deletedBy', 'uuid'), ('profiles', 'deletionReason', 'text')
), found as (
  select s.relation || '.' || s.column_name || ' is ' || format_type(a.atttypid, a.atttypmod) || ', not ' || s.column_type as what
    from shapes s
    join pg_attribute a on a.attrelid = to_regclass('public.' || s.relation) and a.attname::text = s.column_name and not a.attisdropped
   where format_type(a.atttypid, a.atttypmod) <> s.column_type
  union all
  select relname || ' is no table' from pg_class
   where oid in (to_regclass('public.user_audits'), to_regclass('public.upload_errors')) and relkind <> 'r'
)
select 'conflicting-tables' as name,
       case when count(*) = 0 then 'PASS' else 'NO-GO' end as status,
       coalesce(string_agg(what, '; ' order by what), 'none') as measured,
       'user_audits, upload_errors and two columns of profiles: not there yet, or of these types' as expected,
       'Rename what is there, let the update create its own, and copy the rows.' as mend
from found
