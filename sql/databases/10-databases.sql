-- The registry of the database services that belong to a project.

create table platform.databases (
  id uuid not null default gen_random_uuid(),
  project_id uuid not null,
  name text not null,
  type text not null,
  host text not null,
  port integer not null,
  database text,
  username text,
  password text,
  connection_string text not null,
  connection_string_encrypted bytea,
  ssl_enabled boolean default false,
  config jsonb default '{}'::jsonb,
  metadata jsonb default '{}'::jsonb,
  status text not null default 'active',
  health_check_status text default 'unknown',
  last_health_check_at timestamptz,
  health_check_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  password_encrypted bytea,
  config_encrypted bytea,
  constraint databases_pkey primary key (id),
  constraint databases_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint databases_name_not_empty check (length(trim(name)) > 0),
  constraint databases_type_check check (type in ('mongodb', 'redis', 'postgresql', 'mysql', 'neon', 'convex')),
  constraint databases_host_not_empty check (length(trim(host)) > 0),
  constraint databases_port_check check (port > 0 and port < 65536),
  constraint databases_connection_string_not_empty check (length(trim(connection_string)) > 0),
  constraint databases_status_check check (status in ('active', 'inactive', 'error', 'maintenance')),
  constraint databases_health_check_status_check
    check (health_check_status in ('healthy', 'unhealthy', 'unknown'))
);

comment on table platform.databases is 'Database services registered for a project';
comment on column platform.databases.id is 'Identifier of the registration';
comment on column platform.databases.project_id is
  'Project that the service belongs to; also part of the encryption key';
comment on column platform.databases.name is 'Name for people; not unique';
comment on column platform.databases.type is 'Kind of service: mongodb, redis, postgresql, mysql, neon or convex';
comment on column platform.databases.host is 'Host name or address';
comment on column platform.databases.port is 'TCP port, 1 to 65535';
comment on column platform.databases.database is 'Database name; for Redis the database number as text';
comment on column platform.databases.username is 'User name; null if the service has none';
comment on column platform.databases.password is
  'Always null. Write the password here: it is encrypted and removed; an empty one removes the stored one
lint-ignore PGL208: always null';
comment on column platform.databases.connection_string is
  'Masked form, scheme://host:port. Write the full string here: it is encrypted and replaced by this form
lint-ignore PGL208: masked';
comment on column platform.databases.connection_string_encrypted is
  'The full connection string, encrypted by pgcrypto; written by trigger only';
comment on column platform.databases.password_encrypted is 'The password, encrypted; written by trigger only';
comment on column platform.databases.config_encrypted is
  'The whole of config where it has secrets, encrypted; written by trigger only';
comment on column platform.databases.ssl_enabled is 'Whether the connection uses TLS';
comment on column platform.databases.config is
  'Settings that depend on the type. Secrets among them are encrypted; ******** stands for each';
comment on column platform.databases.metadata is
  'Free-form notes, such as provider and environment; secrets are refused';
comment on column platform.databases.status is 'active, inactive, error or maintenance';
comment on column platform.databases.health_check_status is 'Result of the last check: healthy, unhealthy or unknown';
comment on column platform.databases.last_health_check_at is 'Time of the last check';
comment on column platform.databases.health_check_error is 'What the last failed check said';

create index idx_databases_project_id on platform.databases (project_id);
comment on index platform.idx_databases_project_id is 'lint-ignore PGL303: named by the specification';
create index idx_databases_type on platform.databases (type);
create index idx_databases_status on platform.databases (status);
create index idx_databases_project_type_status on platform.databases (project_id, type, status);
create index idx_databases_health_check
on platform.databases (health_check_status, last_health_check_at) where health_check_status is not null;
create index idx_databases_created_at on platform.databases (created_at desc);
create index idx_databases_updated_at on platform.databases (updated_at desc);
