-- Whether rows have what they refer to.

-- check: application.data_is_whole
select
  'application.data_is_whole' as name,
  case when orphans = 0 then 'PASS' else 'FAIL' end as status,
  orphans || ' rows without what they refer to' as measured,
  'none' as expected
from (
  select
    (
      select count(*) from platform.projects as p
      where not exists (select 1 from platform.organizations as o where o.id = p.organization_id)
    ) + (
      select count(*) from platform.organization_members as m
      where not exists (select 1 from platform.organizations as o where o.id = m.organization_id)
        or not exists (select 1 from platform.users as u where u.id = m.user_id)
    ) + (
      select count(*) from platform.databases as d
      where not exists (select 1 from platform.projects as p where p.id = d.project_id)
    ) + (
      select count(*) from platform.user_sessions as s
      where not exists (select 1 from platform.users as u where u.id = s.user_id)
    ) as orphans
) as counted;
