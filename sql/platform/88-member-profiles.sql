-- Names of those whom a member list shows. With the owner's rights, as restrictive policies show a row of users
-- to its user alone; narrow instead: the columns below, of members of the reader's organizations.

create view platform_access.member_profiles
with (security_barrier = true) as
select
  m.organization_id,
  m.user_id,
  m.role,
  u.username,
  u.first_name,
  u.last_name,
  u.avatar_url,
  case when m.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) then u.email end as email
from platform.organization_members as m
join platform.users as u on u.id = m.user_id
where m.organization_id = any ((select platform_access.organizations())::uuid[]);

comment on view platform_access.member_profiles is
  'Members of the organizations of this transaction''s user, with their names; addresses for admins alone
lint-ignore PGL111: of the reader''s organizations alone, and without secrets';
