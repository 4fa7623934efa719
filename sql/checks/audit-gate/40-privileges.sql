-- kind: plan
-- Default privileges give what the application's migrations make to all roles of the API. An adopted table keeps such a grant, since the
-- layer does not declare it, and the verification fails by it.
with granted as (
  select distinct c.relname::text as relation, coalesce(r.rolname::text, 'PUBLIC') as grantee
    from pg_class c cross join aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
   where c.oid in (to_regclass('public.user_audits'), to_regclass('public.upload_errors'), to_regclass('public.upload_error_stats'))
     and (a.grantee = 0 or r.rolname = 'anon')
)
select 'adopted-privileges' as name,
       case when count(*) = 0 then 'PASS' else 'WARNING' end as status,
       coalesce(string_agg(grantee || ' on ' || relation, ', ' order by relation, grantee), 'none') as measured,
       'no privilege of anon or PUBLIC on what is adopted: the verification of the update fails by it' as expected,
       coalesce('REVOKE ALL ON ' || string_agg(distinct 'public.' || relation, ', ') || ' FROM PUBLIC, anon;', '') as mend
from granted
