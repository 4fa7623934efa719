-- API keys and signing secret of a project, one row each.

create table platform.credentials (
  id uuid not null default public.uuid_generate_v4(),
  project_id uuid not null,
  anon_key text not null,
  service_role_key text not null,
  jwt_secret text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint credentials_pkey primary key (id),
  constraint credentials_project_id_key unique (project_id),
  constraint credentials_project_id_fkey
    foreign key (project_id) references platform.projects (id) on delete cascade,
  constraint credentials_anon_key_not_empty check (length(trim(anon_key)) > 0),
  constraint credentials_service_role_key_not_empty check (length(trim(service_role_key)) > 0),
  constraint credentials_jwt_secret_not_empty check (length(trim(jwt_secret)) > 0)
);

comment on table platform.credentials is 'API keys and signing secret of a project; anon_key alone is public';

create index idx_credentials_project_id on platform.credentials (project_id);

create trigger update_credentials_updated_at
before update on platform.credentials
for each row execute function platform.update_updated_at_column();
