-- Metered usage per period, for billing.

create table platform.usage_metrics (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid,
  project_id uuid,
  metric_type text not null,
  metric_value numeric not null,
  metric_unit text not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  cost numeric(10, 2),
  metadata jsonb,
  created_at timestamptz default now(),
  constraint usage_metrics_pkey primary key (id),
  constraint usage_metrics_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint usage_metrics_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint usage_metrics_value_valid check (metric_value >= 0),
  constraint usage_metrics_period_valid check (period_end > period_start),
  constraint usage_metrics_type_valid check (
    metric_type in (
      'database_size', 'egress', 'storage', 'auth_users', 'realtime_connections', 'realtime_messages',
      'storage_images_transformed', 'function_invocations', 'function_count', 'compute_hours'
    )
  ),
  constraint usage_metrics_unit_valid check (
    metric_unit in ('bytes', 'hours', 'requests', 'users', 'connections', 'messages', 'invocations', 'count')
  )
);

comment on table platform.usage_metrics is 'Metered usage of an organization or project per period, with its cost';

create index idx_usage_org_period on platform.usage_metrics (organization_id, period_start);
create index idx_usage_project_period on platform.usage_metrics (project_id, period_start);
create index idx_usage_type on platform.usage_metrics (metric_type);
create index idx_usage_created_at on platform.usage_metrics (created_at desc);
create index idx_usage_org_type_period on platform.usage_metrics (organization_id, metric_type, period_start);
