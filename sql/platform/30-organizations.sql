-- Organizations are the tenants; here with what belongs to one directly: members, invitations,
-- overrides of feature flags and API keys.

create table platform.organizations (
  id uuid not null default public.uuid_generate_v4(),
  name text not null,
  slug text not null,
  billing_email text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint organizations_pkey primary key (id),
  constraint organizations_slug_key unique (slug),
  constraint organizations_name_not_empty check (length(trim(name)) > 0),
  constraint organizations_slug_not_empty check (length(trim(slug)) > 0),
  constraint organizations_slug_format check (slug ~ '^[a-z0-9][a-z0-9-]*[a-z0-9]$')
);

comment on table platform.organizations is
  'Tenant root: an organization owns projects, billing records and memberships';

create index idx_organizations_slug on platform.organizations (slug);
create index idx_organizations_created_at on platform.organizations (created_at);

create trigger update_organizations_updated_at
before update on platform.organizations
for each row execute function platform.update_updated_at_column();

create table platform.organization_members (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  user_id uuid not null,
  role text not null,
  invited_at timestamptz,
  invited_by uuid,
  joined_at timestamptz default now(),
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint organization_members_pkey primary key (id),
  constraint organization_members_organization_id_user_id_key unique (organization_id, user_id),
  constraint organization_members_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint organization_members_user_id_fkey
    foreign key (user_id) references platform.users (id) on delete cascade,
  constraint organization_members_invited_by_fkey
    foreign key (invited_by) references platform.users (id) on delete set null,
  constraint organization_members_role_check
    check (role in ('owner', 'admin', 'developer', 'billing_admin', 'member'))
);

comment on table platform.organization_members is 'Membership of a user in an organization, and the role it gives';

create index idx_organization_members_org on platform.organization_members (organization_id);
create index idx_organization_members_user on platform.organization_members (user_id);
create index idx_organization_members_role on platform.organization_members (role);
-- What restrictive policies ask of each request: the organizations of a user, and a user's role in one.
create index idx_org_members_user_org on platform.organization_members (user_id, organization_id) include (role);
create index idx_org_members_org_user_role on platform.organization_members (organization_id, user_id, role);
create index idx_organization_members_invited on platform.organization_members (invited_at) where joined_at is null;

create trigger update_organization_members_updated_at
before update on platform.organization_members
for each row execute function platform.update_updated_at_column();

create table platform.organization_invitations (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  invited_email text not null,
  invited_by uuid not null,
  role text not null,
  token text not null,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  created_at timestamptz default now(),
  constraint organization_invitations_pkey primary key (id),
  constraint organization_invitations_token_key unique (token),
  constraint organization_invitations_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint organization_invitations_invited_by_fkey
    foreign key (invited_by) references platform.users (id) on delete cascade,
  constraint organization_invitations_role_check
    check (role in ('owner', 'admin', 'developer', 'billing_admin', 'member')),
  constraint invitations_email_format
    check (invited_email ~ '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
  constraint invitations_expires_valid check (expires_at > created_at)
);

comment on table platform.organization_invitations is 'Invitations to an organization, open until accepted or expired';

create index idx_org_invitations_org on platform.organization_invitations (organization_id);
create index idx_org_invitations_token on platform.organization_invitations (token) where accepted_at is null;
create index idx_org_invitations_email on platform.organization_invitations (invited_email);
create index idx_org_invitations_pending
on platform.organization_invitations (organization_id, expires_at) where accepted_at is null;

create table platform.organization_feature_flags (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  flag_id uuid not null,
  enabled boolean not null,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint organization_feature_flags_pkey primary key (id),
  constraint organization_feature_flags_organization_id_flag_id_key unique (organization_id, flag_id),
  constraint organization_feature_flags_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint organization_feature_flags_flag_id_fkey
    foreign key (flag_id) references platform.feature_flags (id) on delete cascade
);

comment on table platform.organization_feature_flags is 'Override of a feature flag for one organization';

create index idx_org_feature_flags_org on platform.organization_feature_flags (organization_id);
create index idx_org_feature_flags_flag on platform.organization_feature_flags (flag_id);

create trigger update_org_feature_flags_updated_at
before update on platform.organization_feature_flags
for each row execute function platform.update_updated_at_column();

create table platform.api_keys (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  user_id uuid not null,
  name text not null,
  key_prefix text not null,
  key_hash text not null,
  scopes jsonb default '[]'::jsonb,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz default now(),
  constraint api_keys_pkey primary key (id),
  constraint api_keys_key_hash_key unique (key_hash),
  constraint api_keys_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint api_keys_user_id_fkey
    foreign key (user_id) references platform.users (id) on delete cascade,
  constraint api_keys_name_not_empty check (length(trim(name)) > 0)
);

comment on table platform.api_keys is
  'Platform API keys of a user within an organization; only the hash of a key is kept';

create index idx_api_keys_org on platform.api_keys (organization_id) where revoked_at is null;
create index idx_api_keys_user on platform.api_keys (user_id) where revoked_at is null;
create index idx_api_keys_hash on platform.api_keys (key_hash, expires_at) where revoked_at is null;
create index idx_api_keys_expires on platform.api_keys (expires_at) where revoked_at is null;
