-- Audit trail. Rows outlive what they are about: every reference is set to null, none cascades.

create table platform.audit_logs (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid,
  project_id uuid,
  user_id uuid,
  event_type text not null,
  resource_type text,
  resource_id uuid,
  action text not null,
  ip_address inet,
  user_agent text,
  metadata jsonb default '{}'::jsonb,
  severity text default 'info',
  created_at timestamptz default now(),
  constraint audit_logs_pkey primary key (id),
  constraint audit_logs_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete set null,
  constraint audit_logs_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete set null,
  constraint audit_logs_user_id_fkey
    foreign key (user_id) references platform.users (id) on delete set null,
  constraint audit_logs_severity_check check (severity in ('info', 'warning', 'error', 'critical')),
  constraint audit_logs_event_type_format check (event_type ~ '^[a-z_]+\.[a-z_]+$')
);

comment on table platform.audit_logs is 'Audit trail; a row without organization is a system event';

create index idx_audit_logs_org_created on platform.audit_logs (organization_id, created_at desc);
create index idx_audit_logs_project_created on platform.audit_logs (project_id, created_at desc);
create index idx_audit_logs_user_created on platform.audit_logs (user_id, created_at desc);
create index idx_audit_logs_event_type on platform.audit_logs (event_type, created_at desc);
create index idx_audit_logs_severity
on platform.audit_logs (severity, created_at desc) where severity in ('error', 'critical');
create index idx_audit_logs_created on platform.audit_logs (created_at desc);
