-- Reference data shared by all tenants: the plan catalogue and the global feature flags.

create table platform.billing_plans (
  id text not null,
  name text not null,
  description text,
  price numeric(10, 2) not null,
  "interval" text not null,
  features jsonb default '[]'::jsonb,
  limits jsonb default '{}'::jsonb,
  max_projects integer,
  max_members integer,
  active boolean default true,
  sort_order integer default 0,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint billing_plans_pkey primary key (id),
  constraint billing_plans_interval_check check ("interval" in ('month', 'year')),
  constraint billing_plans_price_valid check (price >= 0)
);

comment on table platform.billing_plans is 'Plan catalogue; a maximum of -1 means unlimited';

create index idx_billing_plans_active on platform.billing_plans (active, sort_order);

create trigger update_billing_plans_updated_at
before update on platform.billing_plans
for each row execute function platform.update_updated_at_column();

create table platform.feature_flags (
  id uuid not null default public.uuid_generate_v4(),
  flag_key text not null,
  flag_name text not null,
  description text,
  enabled boolean default false,
  rollout_percentage integer default 0,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint feature_flags_pkey primary key (id),
  constraint feature_flags_flag_key_key unique (flag_key),
  constraint feature_flags_rollout_percentage_check check (rollout_percentage >= 0 and rollout_percentage <= 100),
  constraint feature_flags_key_format check (flag_key ~ '^[a-z0-9_]+$')
);

comment on table platform.feature_flags is 'Global feature flags; organization_feature_flags overrides them per tenant';

create index idx_feature_flags_key on platform.feature_flags (flag_key);
create index idx_feature_flags_enabled on platform.feature_flags (enabled);

create trigger update_feature_flags_updated_at
before update on platform.feature_flags
for each row execute function platform.update_updated_at_column();
