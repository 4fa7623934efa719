-- The 13 indexes by their definitions, and whether all of the three tables can be used.

-- check: indexes.present
with expected (index_name, definition) as (
  values
    ('user_audits_userId_idx', 'public.user_audits USING btree ("userId")'),
    ('user_audits_performedBy_idx', 'public.user_audits USING btree ("performedBy")'),
    ('user_audits_action_idx', 'public.user_audits USING btree (action)'),
    ('user_audits_createdAt_idx', 'public.user_audits USING btree ("createdAt" DESC)'),
    ('user_audits_changes_idx', 'public.user_audits USING gin (changes)'),
    ('user_audits_metadata_idx', 'public.user_audits USING gin (metadata)'),
    ('upload_errors_correlationId_idx', 'public.upload_errors USING btree ("correlationId")'),
    ('upload_errors_userId_idx', 'public.upload_errors USING btree ("userId") WHERE ("userId" IS NOT NULL)'),
    ('upload_errors_errorType_idx', 'public.upload_errors USING btree ("errorType")'),
    ('upload_errors_timestamp_idx', 'public.upload_errors USING btree ("timestamp" DESC)'),
    (
      'upload_errors_unresolved_idx',
      'public.upload_errors USING btree ("errorType", "timestamp" DESC) WHERE (NOT resolved)'
    ),
    (
      'upload_errors_retryable_idx',
      'public.upload_errors USING btree ("correlationId", "timestamp" DESC) WHERE (retryable AND (NOT resolved))'
    ),
    ('profiles_deletedBy_idx', 'public.profiles USING btree ("deletedBy")')
)

select
  'indexes.present' as name,
  case when count(i.indexrelid) = 13 then 'PASS' else 'FAIL' end as status,
  count(i.indexrelid) || ' of 13'
    || coalesce('; not as expected: ' || string_agg(e.index_name, ', ') filter (where i.indexrelid is null), '') as measured,
  '13 usable indexes of these definitions' as expected
from expected as e
left join pg_index as i
  on i.indexrelid = to_regclass(format('public.%I', e.index_name)) and i.indisvalid and i.indisready
  and split_part(pg_get_indexdef(i.indexrelid), ' ON ', 2) = e.definition;

-- check: indexes.valid
select
  'indexes.valid' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('invalid: ' || string_agg(indexrelid::regclass::text, ', '), 'all are') as measured,
  'no invalid index on profiles, user_audits and upload_errors' as expected
from pg_index
where not (indisvalid and indisready)
  and indrelid in (to_regclass('public.profiles'), to_regclass('public.user_audits'), to_regclass('public.upload_errors'));
