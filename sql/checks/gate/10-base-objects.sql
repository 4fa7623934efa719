-- kind: plan
-- Either nothing of the platform is there yet, or what its parts stand on is there as a whole.
with wanted (name, found) as (
  values ('platform.organizations', to_regclass('platform.organizations') is not null),
         ('platform.projects', to_regclass('platform.projects') is not null),
         ('platform.audit_logs', to_regclass('platform.audit_logs') is not null),
         ('platform.update_updated_at_column()', to_regprocedure('platform.update_updated_at_column()') is not null)
)
select 'base-objects' as name,
       case when bool_and(found) or not bool_or(found) then 'PASS' else 'NO-GO' end as status,
       case when bool_and(found) then 'all are there'
            when not bool_or(found) then 'none is there: the database is new'
            else 'missing: ' || string_agg(name, ', ') filter (where not found) end as measured,
       'organizations, projects, audit_logs and update_updated_at_column() of schema platform, or none of them' as expected,
       'Find out who removed them: npm run drift. Restore a backup, or drop what is left of the schema.' as mend
from wanted
