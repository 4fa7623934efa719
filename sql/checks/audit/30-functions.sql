-- The trigger that writes the audit rows, and the functions: their signatures, their rights, their owner.

-- check: trigger.present
select
  'trigger.present' as name,
  case when count(*) = 1 and bool_and(is_equal) then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(tgname || ' ' || case when is_equal then 'as expected' else 'differs or is disabled' end, ', '), 'none')
    as measured,
  'one enabled trigger, after insert or update, for each row, without a condition' as expected
from (
  select
    tgname,
    -- Row, insert and update of tgtype.
    tgname = 'trg_audit_profile_changes' and tgrelid = to_regclass('public.profiles') and tgtype = 1 + 4 + 16
    and tgenabled in ('O', 'A') and tgqual is null and tgattr = '' as is_equal
  from pg_trigger
  where not tgisinternal
    and (tgfoid = to_regprocedure('public.audit_profile_changes()') or tgname = 'trg_audit_profile_changes')
) as found;

-- check: functions.present
with expected (signature, result, is_definer) as (
  values
    ('public.current_actor()', 'uuid', true),
    ('public.has_profile_type(text[])', 'boolean', true),
    ('public.audit_profile_changes()', 'trigger', true),
    ('public.backfill_profile_audits()', 'integer', false),
    ('public.log_upload_error(text,text,text,text,text,uuid,boolean)', 'uuid', true),
    ('public.resolve_upload_error(uuid,uuid)', 'boolean', false),
    ('public.cleanup_old_upload_errors(integer)', 'integer', false)
)

select
  'functions.present' as name,
  case when count(p.oid) = 7 then 'PASS' else 'FAIL' end as status,
  count(p.oid) || ' of 7'
    || coalesce('; not as expected: ' || string_agg(e.signature, ', ') filter (where p.oid is null), '') as measured,
  '7 functions of these signatures; four of them with the rights of their owner' as expected
from expected as e
left join pg_proc as p
  on p.oid = to_regprocedure(e.signature) and format_type(p.prorettype, null) = e.result and p.prosecdef = e.is_definer;

-- check: functions.pinned
select
  'functions.pinned' as name,
  case when count(*) > 0 and bool_and(is_pinned) then 'PASS' else 'FAIL' end as status,
  coalesce('open: ' || string_agg(proname, ', ') filter (where not is_pinned), count(*) || ' pinned') as measured,
  'search_path = pg_catalog, pg_temp on each' as expected
from (
  select
    proname, coalesce('search_path=pg_catalog, pg_temp' = any(proconfig), false) as is_pinned
  from pg_proc
  where pronamespace = 'public'::regnamespace and proname in (
    'current_actor', 'has_profile_type', 'audit_profile_changes', 'backfill_profile_audits', 'log_upload_error',
    'resolve_upload_error', 'cleanup_old_upload_errors'
  )
) as found;

-- check: functions.owner
select
  'functions.owner' as name,
  case when count(*) >= 4 and bool_and(is_fit) then 'PASS' else 'FAIL' end as status,
  coalesce(
    'another one: ' || string_agg(proname || ' of ' || proowner::regrole, ', ') filter (where not is_fit),
    count(*) || ' of the owner of the tables'
  ) as measured,
  'what runs with the rights of its owner belongs to one who may write both tables past their policies' as expected
from (
  select
    p.proname, p.proowner,
    bool_and(coalesce(pg_has_role(p.proowner, c.relowner, 'USAGE'), false))
    and not exists (
      select from pg_roles as r
      where r.rolname in ('anon', 'authenticated') and pg_has_role(r.oid, p.proowner, 'MEMBER')
    ) as is_fit
  from pg_proc as p
  left join pg_class as c on c.oid in (to_regclass('public.user_audits'), to_regclass('public.upload_errors'))
  where p.pronamespace = 'public'::regnamespace and p.prosecdef
    and p.proname in ('current_actor', 'has_profile_type', 'audit_profile_changes', 'log_upload_error')
  group by p.oid, p.proname, p.proowner
) as found;
