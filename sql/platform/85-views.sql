-- Views. All check the caller's own rights and policies (security_invoker), so that none
-- opens a table that is shut to the caller.

create view platform.projects_with_credentials
with (security_invoker = true) as
select
  p.id,
  p.organization_id,
  p.name,
  p.slug,
  p.ref,
  p.database_host,
  p.database_port,
  p.database_name,
  p.database_user,
  p.database_password,
  p.postgres_meta_url,
  p.supabase_url,
  p.status,
  p.created_at,
  p.updated_at,
  c.anon_key,
  c.service_role_key,
  c.jwt_secret
from platform.projects as p
left join platform.credentials as c on c.project_id = p.id;

create view platform.organizations_with_stats
with (security_invoker = true) as
select
  o.id,
  o.name,
  o.slug,
  o.billing_email,
  o.created_at,
  o.updated_at,
  p.project_count,
  p.active_project_count
from platform.organizations as o
cross join lateral (
  select count(*) as project_count, count(*) filter (where status = 'ACTIVE_HEALTHY') as active_project_count
  from platform.projects
  where organization_id = o.id
) as p;

create view platform.subscriptions_with_orgs
with (security_invoker = true) as
select
  s.id,
  s.organization_id,
  o.name as organization_name,
  o.slug as organization_slug,
  s.plan_id,
  s.plan_name,
  s.status,
  s.billing_cycle_anchor,
  s.current_period_start,
  s.current_period_end,
  s.next_invoice_at,
  s.usage_billing_enabled,
  s.spend_cap_enabled,
  s.spend_cap_amount,
  s.customer_balance,
  s.billing_via_partner,
  s.billing_partner,
  s.stripe_customer_id,
  s.stripe_subscription_id,
  s.created_at,
  s.updated_at
from platform.subscriptions as s
join platform.organizations as o on o.id = s.organization_id;

-- Projects and invoices are summed up apart: joined to each other they would multiply.
create view platform.organization_billing_overview
with (security_invoker = true) as
select
  o.id as organization_id,
  o.name as organization_name,
  o.slug as organization_slug,
  s.plan_id,
  s.plan_name,
  s.status as subscription_status,
  s.customer_balance,
  p.project_count,
  i.open_invoices,
  i.outstanding_balance,
  platform.get_available_credits(o.id) as available_credits
from platform.organizations as o
left join platform.subscriptions as s on s.organization_id = o.id
cross join lateral (
  select count(*) as project_count
  from platform.projects
  where organization_id = o.id
) as p
cross join lateral (
  select
    count(*) as open_invoices,
    coalesce(sum(coalesce(amount_remaining, amount_due - coalesce(amount_paid, 0))), 0) as outstanding_balance
  from platform.invoices
  where organization_id = o.id and status = 'open'
) as i;

create view platform.project_resources
with (security_invoker = true) as
select
  p.id as project_id,
  p.ref as project_ref,
  p.name as project_name,
  p.organization_id,
  p.status as project_status,
  d.size_gb as disk_size_gb,
  d.io_budget as disk_io_budget,
  d.autoscale_enabled as disk_autoscale,
  c.instance_size,
  c.cpu_cores,
  c.memory_gb,
  c.architecture,
  c.is_dedicated,
  a.active_addons_count
from platform.projects as p
left join platform.disk_config as d on d.project_id = p.id
left join platform.compute_config as c on c.project_id = p.id
cross join lateral (
  select count(*) as active_addons_count
  from platform.addons
  where project_id = p.id and status = 'active'
) as a;
