-- Failed uploads of the last 30 days by type, as far as the reader may see them.

create view public.upload_error_stats
with (security_invoker = true) as
select
  e."errorType",
  count(*) as total_count,
  count(*) filter (where not e.resolved) as unresolved_count,
  count(*) filter (where e.retryable and not e.resolved) as retryable_count,
  count(distinct e."userId") as affected_users,
  min(e."timestamp") as first_occurrence,
  max(e."timestamp") as last_occurrence,
  round(avg(extract(epoch from e."resolvedAt" - e."timestamp") / 3600) filter (where e."resolvedAt" is not null), 2)
    as avg_hours_to_resolve
from public.upload_errors e
where e."timestamp" > now() - interval '30 days'
group by e."errorType"
order by total_count desc;

comment on view public.upload_error_stats is 'Failed uploads of the last 30 days by type; the mean is over resolved ones';
