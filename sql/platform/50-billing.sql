-- Billing of an organization: subscription, invoices, payment methods, tax registrations,
-- billing address and credit balances.

create table platform.subscriptions (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  plan_id text not null,
  plan_name text not null,
  status text not null default 'active',
  billing_cycle_anchor bigint,
  current_period_start bigint,
  current_period_end bigint,
  next_invoice_at bigint,
  usage_billing_enabled boolean default true,
  spend_cap_enabled boolean default false,
  spend_cap_amount numeric(10, 2),
  customer_balance numeric(10, 2) default 0,
  billing_via_partner boolean default false,
  billing_partner text,
  cached_egress_enabled boolean default false,
  stripe_customer_id text,
  stripe_subscription_id text,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint subscriptions_pkey primary key (id),
  constraint subscriptions_organization_id_key unique (organization_id),
  constraint subscriptions_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint subscriptions_status_valid
    check (status in ('active', 'canceled', 'past_due', 'trialing', 'unpaid', 'incomplete')),
  constraint subscriptions_plan_id_valid
    check (plan_id in ('tier_free', 'tier_pro', 'tier_team', 'tier_enterprise')),
  constraint subscriptions_spend_cap_valid check (spend_cap_enabled = false or spend_cap_amount > 0)
);

comment on table platform.subscriptions is 'The plan of an organization, one row each';

create index idx_subscriptions_org on platform.subscriptions (organization_id);
create index idx_subscriptions_status on platform.subscriptions (status);
create index idx_subscriptions_plan on platform.subscriptions (plan_id);
create index idx_subscriptions_stripe_customer on platform.subscriptions (stripe_customer_id);
create index idx_subscriptions_next_invoice on platform.subscriptions (next_invoice_at);

create trigger update_subscriptions_updated_at
before update on platform.subscriptions
for each row execute function platform.update_updated_at_column();

create table platform.invoices (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  stripe_invoice_id text,
  invoice_number text,
  amount_due numeric(10, 2) not null,
  amount_paid numeric(10, 2) default 0,
  amount_remaining numeric(10, 2),
  currency text default 'usd',
  status text not null,
  period_start bigint,
  period_end bigint,
  due_date bigint,
  paid_at bigint,
  invoice_pdf text,
  hosted_invoice_url text,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint invoices_pkey primary key (id),
  constraint invoices_stripe_invoice_id_key unique (stripe_invoice_id),
  constraint invoices_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint invoices_status_valid check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
  constraint invoices_amount_valid check (amount_due >= 0),
  constraint invoices_currency_valid check (currency ~ '^[a-z]{3}$')
);

comment on table platform.invoices is 'Invoices of an organization';

create index idx_invoices_org on platform.invoices (organization_id);
create index idx_invoices_status on platform.invoices (status);
create index idx_invoices_stripe on platform.invoices (stripe_invoice_id);
create index idx_invoices_period on platform.invoices (period_start, period_end);
create index idx_invoices_created_at on platform.invoices (created_at desc);

create trigger update_invoices_updated_at
before update on platform.invoices
for each row execute function platform.update_updated_at_column();

create table platform.payment_methods (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  stripe_payment_method_id text not null,
  type text not null,
  is_default boolean default false,
  card_brand text,
  card_last4 text,
  card_exp_month integer,
  card_exp_year integer,
  billing_details jsonb,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint payment_methods_pkey primary key (id),
  constraint payment_methods_stripe_payment_method_id_key unique (stripe_payment_method_id),
  constraint payment_methods_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint payment_methods_type_valid check (type in ('card', 'bank_account', 'sepa_debit', 'us_bank_account')),
  constraint payment_methods_card_exp_month_valid
    check (card_exp_month is null or (card_exp_month >= 1 and card_exp_month <= 12)),
  constraint payment_methods_card_exp_year_valid check (card_exp_year is null or card_exp_year >= 2020)
);

comment on table platform.payment_methods is 'Stored payment methods of an organization';

create index idx_payment_methods_org on platform.payment_methods (organization_id);
create index idx_payment_methods_default
on platform.payment_methods (organization_id, is_default) where is_default = true;

create trigger update_payment_methods_updated_at
before update on platform.payment_methods
for each row execute function platform.update_updated_at_column();

create table platform.tax_ids (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  type text not null,
  value text not null,
  country text,
  status text default 'active',
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint tax_ids_pkey primary key (id),
  constraint tax_ids_organization_id_type_value_key unique (organization_id, type, value),
  constraint tax_ids_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint tax_ids_status_valid check (status in ('active', 'deleted')),
  constraint tax_ids_country_valid check (country is null or country ~ '^[A-Z]{2}$')
);

comment on table platform.tax_ids is 'Tax registrations of an organization';

create index idx_tax_ids_org on platform.tax_ids (organization_id);
create index idx_tax_ids_status on platform.tax_ids (status);

create trigger update_tax_ids_updated_at
before update on platform.tax_ids
for each row execute function platform.update_updated_at_column();

create table platform.customer_profiles (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  company_name text,
  address_line1 text,
  address_line2 text,
  city text,
  state text,
  postal_code text,
  country text,
  tax_id text,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint customer_profiles_pkey primary key (id),
  constraint customer_profiles_organization_id_key unique (organization_id),
  constraint customer_profiles_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint customer_profiles_country_valid check (country is null or country ~ '^[A-Z]{2}$')
);

comment on table platform.customer_profiles is 'Billing address of an organization, one row each';

create index idx_customer_profiles_org on platform.customer_profiles (organization_id);

create trigger update_customer_profiles_updated_at
before update on platform.customer_profiles
for each row execute function platform.update_updated_at_column();

create table platform.credits (
  id uuid not null default public.uuid_generate_v4(),
  organization_id uuid not null,
  amount numeric(10, 2) not null,
  remaining numeric(10, 2) not null,
  description text,
  status text not null default 'active',
  expires_at timestamptz,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint credits_pkey primary key (id),
  constraint credits_organization_id_fkey
    foreign key (organization_id) references platform.organizations (id) on delete cascade,
  constraint credits_amount_valid check (amount > 0),
  constraint credits_remaining_valid check (remaining >= 0 and remaining <= amount),
  constraint credits_status_valid check (status in ('active', 'consumed', 'expired'))
);

comment on table platform.credits is 'Promotional credit balances of an organization';

create index idx_credits_org on platform.credits (organization_id);
create index idx_credits_expires on platform.credits (expires_at) where expires_at is not null;

create trigger update_credits_updated_at
before update on platform.credits
for each row execute function platform.update_updated_at_column();
