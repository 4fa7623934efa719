-- What happens to a profile and to a failed upload. All rows of these checks are undone.

-- check: behaviour.changes_are_recorded
-- writes
insert into public.profiles (id, email) values ('00000000-0000-4000-8000-00000000000a', 'pgstrata-a@example.org');

update public.profiles set name = 'Verified' where id = '00000000-0000-4000-8000-00000000000a';

-- Of nothing, so it leaves no row.
update public.profiles set name = name where id = '00000000-0000-4000-8000-00000000000a';

update public.profiles
set "deletedAt" = now(), "deletionReason" = 'verification'
where id = '00000000-0000-4000-8000-00000000000a';

update public.profiles set "deletedAt" = null where id = '00000000-0000-4000-8000-00000000000a';

select
  'behaviour.changes_are_recorded' as name,
  case
    when actions = 'CREATE, DELETE, RESTORE, UPDATE' and has_reason and is_short then 'PASS' else 'FAIL'
  end as status,
  coalesce(actions, 'none') || case when has_reason then '' else '; without the reason of the deletion' end
    || case when is_short then '' else '; with columns that did not change' end as measured,
  'one row each: CREATE, DELETE with its reason, RESTORE, UPDATE with the changed columns only' as expected
from (
  select
    string_agg(action, ', ' order by action) as actions,
    coalesce(bool_or(action = 'DELETE' and reason = 'verification'), false) as has_reason,
    coalesce(bool_and(action <> 'UPDATE' or not changes -> 'new' ? 'email'), false) as is_short
  from public.user_audits
  where "userId" = '00000000-0000-4000-8000-00000000000a'
) as found;

-- check: behaviour.settings_stop_no_write
-- writes
select set_config('app.current_user_id', '', true), set_config('request.headers', '{not json', true);

insert into public.profiles (id, email) values ('00000000-0000-4000-8000-00000000000a', 'pgstrata-a@example.org');

select set_config('app.current_user_id', '00000000-0000-4000-8000-0000000000ff', true);

update public.profiles set name = 'Verified' where id = '00000000-0000-4000-8000-00000000000a';

select
  'behaviour.settings_stop_no_write' as name,
  case when count(*) = 2 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 2 changes recorded' as measured,
  'settings that are empty, malformed or name no profile count as absent' as expected
from public.user_audits
where "userId" = '00000000-0000-4000-8000-00000000000a';

-- check: behaviour.a_profile_can_be_removed
-- writes
insert into public.profiles (id, email) values ('00000000-0000-4000-8000-00000000000a', 'pgstrata-a@example.org');

delete from public.profiles where id = '00000000-0000-4000-8000-00000000000a';

select
  'behaviour.a_profile_can_be_removed' as name,
  case when profiles = 0 and audits = 0 then 'PASS' else 'FAIL' end as status,
  profiles || ' profiles and ' || audits || ' audit rows are left' as measured,
  'a removal for good succeeds, and takes the audit rows with it' as expected
from (
  select
    (select count(*) from public.profiles where id = '00000000-0000-4000-8000-00000000000a') as profiles,
    (select count(*) from public.user_audits where "userId" = '00000000-0000-4000-8000-00000000000a') as audits
) as found;

-- check: behaviour.a_deletion_names_who_is_signed_in
-- writes
insert into public.profiles (id, email) values
  ('00000000-0000-4000-8000-00000000000a', 'pgstrata-a@example.org'),
  ('00000000-0000-4000-8000-00000000000b', 'pgstrata-b@example.org');

select
  set_config('request.jwt.claim.sub', '00000000-0000-4000-8000-00000000000a', true),
  set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-00000000000a"}', true);

update public.profiles
set "deletedAt" = now(), "deletedBy" = '00000000-0000-4000-8000-00000000000b'
where id = '00000000-0000-4000-8000-00000000000a';

select
  'behaviour.a_deletion_names_who_is_signed_in' as name,
  case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 deletion by the signed-in user' as measured,
  'the signed-in user, whatever the row says' as expected
from public.user_audits
where action = 'DELETE' and "performedBy" = '00000000-0000-4000-8000-00000000000a'
  and "userId" = '00000000-0000-4000-8000-00000000000a';

-- check: behaviour.errors_are_logged_and_resolved
-- as: authenticated
-- writes
set local role none;

insert into public.profiles (id, email, type) values
  ('00000000-0000-4000-8000-00000000000a', 'pgstrata-a@example.org', 'VENDOR'),
  ('00000000-0000-4000-8000-00000000000b', 'pgstrata-b@example.org', 'HELPDESK');

set local role authenticated;

select
  set_config('request.jwt.claim.sub', '00000000-0000-4000-8000-00000000000a', true),
  set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-00000000000a"}', true);

-- A user logs an error for nobody else, and resolves none.
select set_config('verification.error', public.log_upload_error(
  'pgstrata-verification', 'SIZE_ERROR', 'too large', 'Too large', 'details', '00000000-0000-4000-8000-00000000000b'
)::text, true);

select set_config('verification.by_user', public.resolve_upload_error(current_setting('verification.error')::uuid)::text, true);

select
  set_config('request.jwt.claim.sub', '00000000-0000-4000-8000-00000000000b', true),
  set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-00000000000b"}', true);

select set_config('verification.by_staff', public.resolve_upload_error(current_setting('verification.error')::uuid)::text, true);

select
  'behaviour.errors_are_logged_and_resolved' as name,
  case
    when count(*) = 1 and current_setting('verification.by_user') = 'false' and current_setting('verification.by_staff') = 'true'
      then 'PASS'
    else 'FAIL'
  end as status,
  count(*) || ' of 1 error is resolved; by its user: ' || current_setting('verification.by_user')
    || ', by staff: ' || current_setting('verification.by_staff') as measured,
  'logged for who is signed in; resolved by staff alone, with its details as they were' as expected
from public.upload_errors
where id = current_setting('verification.error')::uuid and resolved and details = 'details' and "resolvedAt" is not null
  and "userId" = '00000000-0000-4000-8000-00000000000a' and "resolvedBy" = '00000000-0000-4000-8000-00000000000b';

-- check: behaviour.cleanup_takes_old_resolved_errors
-- writes
insert into public.upload_errors ("correlationId", "errorType", message, "userMessage", "timestamp", resolved) values
  ('pgstrata-verification-1', 'SIZE_ERROR', 'm', 'u', now() - interval '100 days', true),
  ('pgstrata-verification-2', 'SIZE_ERROR', 'm', 'u', now() - interval '100 days', false),
  ('pgstrata-verification-3', 'SIZE_ERROR', 'm', 'u', now(), true);

select public.cleanup_old_upload_errors(90);

select
  'behaviour.cleanup_takes_old_resolved_errors' as name,
  case when count(*) = 2 and bool_and(not resolved or "timestamp" = now()) then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 3 stay' as measured,
  '2 of 3: the open one and the recent one' as expected
from public.upload_errors
where "correlationId" like 'pgstrata-verification-%';

-- check: behaviour.statistics_count
-- writes
insert into public.upload_errors ("correlationId", "errorType", message, "userMessage", retryable, resolved, "timestamp") values
  ('pgstrata-verification-4', 'PGSTRATA', 'm', 'u', true, false, now()),
  ('pgstrata-verification-5', 'PGSTRATA', 'm', 'u', false, true, now()),
  ('pgstrata-verification-6', 'PGSTRATA', 'm', 'u', true, false, now() - interval '31 days');

select
  'behaviour.statistics_count' as name,
  case when count(*) = 1 and bool_and((total_count, unresolved_count, retryable_count) = (2, 1, 1)) then 'PASS' else 'FAIL' end
    as status,
  coalesce(string_agg(concat_ws(', ', total_count, unresolved_count, retryable_count), '; '), 'no row') as measured,
  '2, 1, 1: of the last 30 days, not resolved, to be tried again' as expected
from public.upload_error_stats
where "errorType" = 'PGSTRATA';
