-- Billing questions about one organization.

create function platform.get_active_subscription(org_id uuid)
returns platform.subscriptions
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select s from platform.subscriptions as s where s.organization_id = org_id and s.status = 'active';
$$;

revoke all on function platform.get_active_subscription(uuid) from public;

-- Counts a period only if it lies wholly inside the range, so adjacent ranges never count one twice.
create function platform.calculate_usage_cost(org_id uuid, start_period timestamptz, end_period timestamptz)
returns numeric
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(u.cost), 0)
  from platform.usage_metrics as u
  where u.organization_id = org_id and u.period_start >= start_period and u.period_end <= end_period;
$$;

revoke all on function platform.calculate_usage_cost(uuid, timestamptz, timestamptz) from public;

create function platform.get_available_credits(org_id uuid)
returns numeric
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(c.remaining), 0)
  from platform.credits as c
  where c.organization_id = org_id and c.status = 'active' and (c.expires_at is null or c.expires_at > now());
$$;

revoke all on function platform.get_available_credits(uuid) from public;

create function platform.is_free_tier(org_id uuid)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select 1
    from platform.subscriptions as s
    where s.organization_id = org_id and s.plan_id = 'tier_free' and s.status = 'active'
  );
$$;

revoke all on function platform.is_free_tier(uuid) from public;
