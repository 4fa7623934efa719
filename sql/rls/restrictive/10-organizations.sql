-- Phase 2, restrictive: a row is visible to those who belong to its organization, as far as their role in it
-- goes. Each rule asks who the transaction runs for (platform_access) once a statement, not once a row.
-- Which role may do what to which rows is one table: test/fixtures/expected/rls-matrix.csv.

-- Organizations are created by platform_access.create_organization, together with their first owner.
create policy org_member_select on platform.organizations
for select to studio_app, studio_readonly
using (id = any ((select platform_access.organizations())::uuid[]));

create policy org_owner_update on platform.organizations
for update to studio_app
using (id = any ((select platform_access.organizations('owner'))::uuid[]))
with check (id = any ((select platform_access.organizations('owner'))::uuid[]));

create policy org_owner_delete on platform.organizations
for delete to studio_app
using (id = any ((select platform_access.organizations('owner'))::uuid[]));

-- A membership comes of an invitation that is accepted, or with an organization that is created, so no request adds
-- one. Owners are made, changed and removed by owners. The last one stays: 60-guards.sql.
create policy org_members_select on platform.organization_members
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations())::uuid[]));

create policy org_admin_update_members on platform.organization_members
for update to studio_app
using (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (role <> 'owner' and organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
)
with check (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (role <> 'owner' and organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
);

create policy org_member_delete on platform.organization_members
for delete to studio_app
using (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (user_id = (select platform_access.user_id()) and organization_id = any ((select platform_access.organizations())::uuid[]))
);

-- An invitation is as good as the membership that it gives; so is sight of its token.
create policy org_admin_select_invitations on platform.organization_invitations
for select to studio_app, studio_readonly
using (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (role <> 'owner' and organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
);

create policy org_admin_insert_invitations on platform.organization_invitations
for insert to studio_app
with check (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (role <> 'owner' and organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
);

create policy org_admin_update_invitations on platform.organization_invitations
for update to studio_app
using (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (role <> 'owner' and organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
)
with check (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (role <> 'owner' and organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
);

create policy org_admin_delete_invitations on platform.organization_invitations
for delete to studio_app
using (
  organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  or (role <> 'owner' and organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
);

-- What an organization may use is decided by the system.
create policy org_member_select_flags on platform.organization_feature_flags
for select to studio_app, studio_readonly
using (organization_id = any ((select platform_access.organizations())::uuid[]));

-- A key acts as its user, so its user alone writes it; an admin may see and remove it.
create policy api_keys_select on platform.api_keys
for select to studio_app, studio_readonly
using (
  (user_id = (select platform_access.user_id()) and organization_id = any ((select platform_access.organizations())::uuid[]))
  or organization_id = any ((select platform_access.organizations('admin'))::uuid[])
);

create policy api_keys_self_insert on platform.api_keys
for insert to studio_app
with check (
  user_id = (select platform_access.user_id()) and organization_id = any ((select platform_access.organizations())::uuid[])
);

create policy api_keys_self_update on platform.api_keys
for update to studio_app
using (
  user_id = (select platform_access.user_id()) and organization_id = any ((select platform_access.organizations())::uuid[])
)
with check (
  user_id = (select platform_access.user_id()) and organization_id = any ((select platform_access.organizations())::uuid[])
);

create policy api_keys_delete on platform.api_keys
for delete to studio_app
using (
  (user_id = (select platform_access.user_id()) and organization_id = any ((select platform_access.organizations())::uuid[]))
  or organization_id = any ((select platform_access.organizations('admin'))::uuid[])
);
