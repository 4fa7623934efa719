-- Projects, with their members, add-ons and infrastructure metrics.

create table platform.projects (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  name text not null,
  slug text not null,
  ref text not null,
  database_host text not null,
  database_port integer not null default 5432,
  database_name text not null,
  database_user text not null,
  database_password text not null,
  postgres_meta_url text not null,
  supabase_url text not null,
  status text not null default 'ACTIVE_HEALTHY',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  instance_size text default 'micro',
  disk_size_gb integer default 8,
  disk_io_budget integer default 2400,
  constraint projects_pkey primary key (id),
  constraint projects_ref_key unique (ref),
  constraint projects_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint projects_name_not_empty check (length(trim(name)) > 0),
  constraint projects_slug_not_empty check (length(trim(slug)) > 0),
  constraint projects_ref_not_empty check (length(trim(ref)) > 0),
  constraint projects_ref_format check (ref ~ '^[a-z0-9][a-z0-9-]*[a-z0-9]$'),
  constraint projects_port_valid check (database_port >= 1 and database_port <= 65535),
  constraint projects_status_valid check (
    status in (
      'ACTIVE_HEALTHY', 'ACTIVE_UNHEALTHY', 'COMING_UP', 'GOING_DOWN', 'INACTIVE', 'PAUSED', 'RESTORING', 'UPGRADING'
    )
  )
);

comment on table platform.projects is 'Managed projects, each with its primary database connection';

create index idx_projects_organization_id on platform.projects (organization_id);
create index idx_projects_ref on platform.projects (ref);
create index idx_projects_slug on platform.projects (slug);
create index idx_projects_status on platform.projects (status);
create index idx_projects_created_at on platform.projects (created_at);
create index idx_projects_org_status on platform.projects (organization_id, status);

create trigger update_projects_updated_at
before update on platform.projects
for each row execute function platform.update_updated_at_column();

create table platform.project_members (
  id uuid not null default public.uuid_generate_v4(),
  project_id uuid not null,
  user_id uuid not null,
  role text not null,
  added_by uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint project_members_pkey primary key (id),
  constraint project_members_project_id_user_id_key unique (project_id, user_id),
  constraint project_members_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint project_members_user_id_fkey
    foreign key (user_id) references platform.users (id) on delete cascade,
  constraint project_members_added_by_fkey
    foreign key (added_by) references platform.users (id) on delete set null,
  constraint project_members_role_check check (role in ('owner', 'admin', 'developer', 'read_only'))
);

comment on table platform.project_members is 'Direct access of a user to one project';

create index idx_project_members_project on platform.project_members (project_id);
create index idx_project_members_user on platform.project_members (user_id);
create index idx_project_members_role on platform.project_members (role);

create trigger update_project_members_updated_at
before update on platform.project_members
for each row execute function platform.update_updated_at_column();

create table platform.project_addons (
  id uuid not null default public.uuid_generate_v4(),
  project_id uuid not null,
  addon_id text not null,
  addon_variant text,
  quantity integer default 1,
  price_per_unit numeric(10, 2),
  status text default 'active',
  activated_at timestamptz default now(),
  deactivated_at timestamptz,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint project_addons_pkey primary key (id),
  constraint project_addons_project_id_addon_id_key unique (project_id, addon_id),
  constraint project_addons_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint project_addons_quantity_check check (quantity > 0),
  constraint project_addons_status_check check (status in ('active', 'inactive', 'pending', 'cancelled')),
  constraint project_addons_quantity_valid check (quantity > 0)
);

comment on table platform.project_addons is 'Add-ons assigned to a project, by add-on code';

create index idx_project_addons_project on platform.project_addons (project_id);
create index idx_project_addons_status on platform.project_addons (status);
create index idx_project_addons_addon_id on platform.project_addons (addon_id);
create index idx_project_addons_active on platform.project_addons (project_id, status) where status = 'active';

create trigger update_project_addons_updated_at
before update on platform.project_addons
for each row execute function platform.update_updated_at_column();

create table platform.project_metrics (
  id uuid not null default public.uuid_generate_v4(),
  project_id uuid not null,
  "timestamp" timestamptz not null default now(),
  cpu_usage numeric(5, 2),
  memory_usage numeric(5, 2),
  disk_io_budget numeric(10, 2),
  disk_usage_gb numeric(10, 2),
  network_in_bytes bigint,
  network_out_bytes bigint,
  active_connections integer,
  query_count integer,
  created_at timestamptz default now(),
  constraint project_metrics_pkey primary key (id),
  constraint project_metrics_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint project_metrics_cpu_usage_check check (cpu_usage >= 0 and cpu_usage <= 100),
  constraint project_metrics_memory_usage_check check (memory_usage >= 0 and memory_usage <= 100),
  constraint project_metrics_disk_usage_gb_check check (disk_usage_gb >= 0),
  constraint project_metrics_network_in_bytes_check check (network_in_bytes >= 0),
  constraint project_metrics_network_out_bytes_check check (network_out_bytes >= 0),
  constraint project_metrics_active_connections_check check (active_connections >= 0),
  constraint project_metrics_query_count_check check (query_count >= 0)
);

comment on table platform.project_metrics is
  'Infrastructure time series of a project; usage in percent, I/O budget in IOPS';

create index idx_project_metrics_project_timestamp on platform.project_metrics (project_id, "timestamp" desc);
create index idx_project_metrics_timestamp on platform.project_metrics ("timestamp" desc);
