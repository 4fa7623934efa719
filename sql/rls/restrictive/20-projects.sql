-- Projects, and what belongs to one. A member of the project alone sees it without belonging to its
-- organization. Where a rule says only that the project is visible, the policy of projects decides.

create policy project_org_member_select on platform.projects
for select to studio_app, studio_readonly
using (
  organization_id = any ((select platform_access.organizations())::uuid[])
  or id = any ((select platform_access.shared_projects())::uuid[])
);

create policy project_admin_insert on platform.projects
for insert to studio_app
with check (organization_id = any ((select platform_access.organizations('admin'))::uuid[]));

create policy project_admin_update on platform.projects
for update to studio_app
using (organization_id = any ((select platform_access.organizations('admin'))::uuid[]))
with check (organization_id = any ((select platform_access.organizations('admin'))::uuid[]));

create policy project_owner_delete on platform.projects
for delete to studio_app
using (organization_id = any ((select platform_access.organizations('owner'))::uuid[]));

-- Owners and admins of a project are made by its owners and by admins of its organization.
create policy project_members_select on platform.project_members
for select to studio_app, studio_readonly
using (
  exists (select from platform.projects as p where p.id = project_members.project_id)
);

create policy project_admin_insert_members on platform.project_members
for insert to studio_app
with check (
  exists (
    select from platform.projects as p
    where p.id = project_members.project_id and (
      p.organization_id = any ((select platform_access.organizations('admin'))::uuid[])
      or p.id = any ((select platform_access.shared_projects('owner'))::uuid[])
      or (
        project_members.role in ('developer', 'read_only')
        and p.id = any ((select platform_access.shared_projects('admin'))::uuid[])
      )
    )
  )
);

create policy project_admin_update_members on platform.project_members
for update to studio_app
using (
  exists (
    select from platform.projects as p
    where p.id = project_members.project_id and (
      p.organization_id = any ((select platform_access.organizations('admin'))::uuid[])
      or p.id = any ((select platform_access.shared_projects('owner'))::uuid[])
      or (
        project_members.role in ('developer', 'read_only')
        and p.id = any ((select platform_access.shared_projects('admin'))::uuid[])
      )
    )
  )
)
with check (
  exists (
    select from platform.projects as p
    where p.id = project_members.project_id and (
      p.organization_id = any ((select platform_access.organizations('admin'))::uuid[])
      or p.id = any ((select platform_access.shared_projects('owner'))::uuid[])
      or (
        project_members.role in ('developer', 'read_only')
        and p.id = any ((select platform_access.shared_projects('admin'))::uuid[])
      )
    )
  )
);

create policy project_member_delete on platform.project_members
for delete to studio_app
using (
  user_id = (select platform_access.user_id())
  or exists (
    select from platform.projects as p
    where p.id = project_members.project_id and (
      p.organization_id = any ((select platform_access.organizations('admin'))::uuid[])
      or p.id = any ((select platform_access.shared_projects('owner'))::uuid[])
      or (
        project_members.role in ('developer', 'read_only')
        and p.id = any ((select platform_access.shared_projects('admin'))::uuid[])
      )
    )
  )
);

-- Keys of a project, which applications read at each start. Whoever administers a project's organization sees
-- the project, so with the owner's rights the policy of projects is not planned and asked once more.
create view platform_access.administered_projects
with (security_barrier = true) as
select p.id
from platform.projects as p
where p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]);

comment on view platform_access.administered_projects is
  'Projects of the organizations that this transaction''s user administers
lint-ignore PGL111: the ids of the reader''s projects alone';

create policy credentials_admin_select on platform.credentials
for select to studio_app, studio_readonly
using (
  exists (select from platform_access.administered_projects as p where p.id = credentials.project_id)
);

create policy credentials_owner_insert on platform.credentials
for insert to studio_app
with check (
  exists (
    select from platform.projects as p
    where p.id = credentials.project_id and p.organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  )
);

create policy credentials_owner_update on platform.credentials
for update to studio_app
using (
  exists (
    select from platform.projects as p
    where p.id = credentials.project_id and p.organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  )
)
with check (
  exists (
    select from platform.projects as p
    where p.id = credentials.project_id and p.organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  )
);

create policy credentials_owner_delete on platform.credentials
for delete to studio_app
using (
  exists (
    select from platform.projects as p
    where p.id = credentials.project_id and p.organization_id = any ((select platform_access.organizations('owner'))::uuid[])
  )
);

-- Registered databases.
create policy databases_select on platform.databases
for select to studio_app, studio_readonly
using (
  exists (select from platform.projects as p where p.id = databases.project_id)
);

create policy databases_admin_insert on platform.databases
for insert to studio_app
with check (
  exists (
    select from platform.projects as p
    where p.id = databases.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
);

create policy databases_admin_update on platform.databases
for update to studio_app
using (
  exists (
    select from platform.projects as p
    where p.id = databases.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
)
with check (
  exists (
    select from platform.projects as p
    where p.id = databases.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
);

create policy databases_admin_delete on platform.databases
for delete to studio_app
using (
  exists (
    select from platform.projects as p
    where p.id = databases.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
);

-- Add-ons.
create policy project_addons_org_select on platform.project_addons
for select to studio_app, studio_readonly
using (
  exists (select from platform.projects as p where p.id = project_addons.project_id)
);

create policy project_addons_admin_insert on platform.project_addons
for insert to studio_app
with check (
  exists (
    select from platform.projects as p
    where p.id = project_addons.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
);

create policy project_addons_admin_update on platform.project_addons
for update to studio_app
using (
  exists (
    select from platform.projects as p
    where p.id = project_addons.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
)
with check (
  exists (
    select from platform.projects as p
    where p.id = project_addons.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
);

create policy project_addons_admin_delete on platform.project_addons
for delete to studio_app
using (
  exists (
    select from platform.projects as p
    where p.id = project_addons.project_id
      and (p.organization_id = any ((select platform_access.organizations('admin'))::uuid[]) or p.id = any ((select platform_access.shared_projects('admin'))::uuid[]))
  )
);

-- Measured and set by the system.
create policy project_metrics_org_select on platform.project_metrics
for select to studio_app, studio_readonly
using (
  exists (select from platform.projects as p where p.id = project_metrics.project_id)
);

create policy disk_config_org_member_select on platform.disk_config
for select to studio_app, studio_readonly
using (
  exists (select from platform.projects as p where p.id = disk_config.project_id)
);

create policy compute_config_org_member_select on platform.compute_config
for select to studio_app, studio_readonly
using (
  exists (select from platform.projects as p where p.id = compute_config.project_id)
);

create policy addons_org_member_select on platform.addons
for select to studio_app, studio_readonly
using (
  exists (select from platform.projects as p where p.id = addons.project_id)
);
