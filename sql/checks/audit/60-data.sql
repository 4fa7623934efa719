-- The rows: what the original checks counted after the change.

-- check: data.values
select
  'data.values' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  count(*) || ' audit rows without a profile, an action or a time' as measured,
  'none' as expected
from public.user_audits
where "userId" is null or action is null or "createdAt" is null;

-- check: data.references
select
  'data.references' as name,
  case when sum(orphans) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(what || ' ' || orphans, ', ') filter (where orphans > 0), 'none') as measured,
  'no row that refers to a profile which is not there' as expected
from (
  select 'user_audits.userId' as what, count(*) as orphans
  from public.user_audits as a
  where not exists (select from public.profiles as p where p.id = a."userId")
  union all
  select 'user_audits.performedBy', count(*)
  from public.user_audits as a
  where a."performedBy" is not null and not exists (select from public.profiles as p where p.id = a."performedBy")
  union all
  select 'upload_errors.userId', count(*)
  from public.upload_errors as e
  where e."userId" is not null and not exists (select from public.profiles as p where p.id = e."userId")
  union all
  select 'upload_errors.resolvedBy', count(*)
  from public.upload_errors as e
  where e."resolvedBy" is not null and not exists (select from public.profiles as p where p.id = e."resolvedBy")
  union all
  select 'profiles.deletedBy', count(*)
  from public.profiles as d
  where d."deletedBy" is not null and not exists (select from public.profiles as p where p.id = d."deletedBy")
) as found;

-- check: data.earlier_deletions
-- Missing rows are a WARNING: they are filled in by a call, not by the update.
select
  'data.earlier_deletions' as name,
  case when twice > 0 then 'FAIL' when missing > 0 then 'WARNING' else 'PASS' end as status,
  missing || ' deleted profiles without an audit row of it, ' || twice || ' with two that were filled in' as measured,
  'one for each; fill in with: select public.backfill_profile_audits()' as expected
from (
  select
    count(*) filter (where not has_row) as missing,
    count(*) filter (where filled_in > 1) as twice
  from (
    select
      exists (
        select from public.user_audits as a where a."userId" = p.id and a.action in ('DELETE', 'SOFT_DELETE')
      ) as has_row,
      (select count(*) from public.user_audits as a where a."userId" = p.id and a.metadata ->> 'backfilled' = 'true') as filled_in
    from public.profiles as p
    where p."deletedAt" is not null
  ) as deleted
) as found;
