-- Resources of a project: disk, compute and first-generation add-ons.

create table platform.disk_config (
  id uuid not null default public.uuid_generate_v4(),
  project_id uuid not null,
  size_gb integer not null default 8,
  io_budget integer not null default 2400,
  autoscale_enabled boolean default false,
  autoscale_limit_gb integer,
  status text default 'active',
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint disk_config_pkey primary key (id),
  constraint disk_config_project_id_key unique (project_id),
  constraint disk_config_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint disk_config_size_valid check (size_gb >= 8 and size_gb <= 10000),
  constraint disk_config_io_valid check (io_budget >= 2400),
  constraint disk_config_autoscale_valid check (
    autoscale_enabled = false or (autoscale_limit_gb is not null and autoscale_limit_gb > size_gb)
  ),
  constraint disk_config_status_valid check (status in ('active', 'inactive', 'upgrading'))
);

comment on table platform.disk_config is 'Disk settings of a project, one row each; io_budget in IOPS';

create index idx_disk_config_project on platform.disk_config (project_id);

create trigger update_disk_config_updated_at
before update on platform.disk_config
for each row execute function platform.update_updated_at_column();

create table platform.compute_config (
  id uuid not null default public.uuid_generate_v4(),
  project_id uuid not null,
  instance_size text not null default 'micro',
  cpu_cores numeric(3, 1),
  memory_gb numeric(4, 1),
  architecture text,
  is_dedicated boolean default false,
  status text default 'active',
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint compute_config_pkey primary key (id),
  constraint compute_config_project_id_key unique (project_id),
  constraint compute_config_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint compute_config_instance_valid check (
    instance_size in (
      'nano', 'micro', 'small', 'medium', 'large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'
    )
  ),
  constraint compute_config_arch_valid check (architecture is null or architecture in ('arm', 'amd', 'x86_64')),
  constraint compute_config_status_valid check (status in ('active', 'inactive', 'upgrading'))
);

comment on table platform.compute_config is 'Compute size of a project, one row each';

create index idx_compute_config_project on platform.compute_config (project_id);
create index idx_compute_config_size on platform.compute_config (instance_size);

create trigger update_compute_config_updated_at
before update on platform.compute_config
for each row execute function platform.update_updated_at_column();

create table platform.addons (
  id uuid not null default public.uuid_generate_v4(),
  project_id uuid not null,
  addon_type text not null,
  addon_variant text not null,
  quantity integer default 1,
  price_per_unit numeric(10, 2),
  metadata jsonb,
  status text default 'active',
  activated_at timestamptz default now(),
  deactivated_at timestamptz,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint addons_pkey primary key (id),
  constraint addons_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint addons_status_valid check (status in ('active', 'inactive')),
  constraint addons_type_valid
    check (addon_type in ('pitr', 'custom_domain', 'ipv4', 'compute_instance', 'disk_expansion')),
  constraint addons_quantity_valid check (quantity > 0),
  constraint addons_price_valid check (price_per_unit is null or price_per_unit >= 0)
);

comment on table platform.addons is 'Add-ons of a project by type; not a catalogue';

create index idx_addons_project on platform.addons (project_id);
create index idx_addons_status on platform.addons (status);
create index idx_addons_type on platform.addons (addon_type);

create trigger update_addons_updated_at
before update on platform.addons
for each row execute function platform.update_updated_at_column();
