-- kind: plan
-- How old the salt of the registry's encryption may become, as the stack says it: saltRotateEvery, such as 90d.
with told as (
  select nullif(current_setting('pgstrata.saltRotateEvery', true), '') as every,
         -- The table may not be there yet, so the query is a text.
         case when to_regclass('platform_private.encryption_salts') is not null
              then (xpath('/table/row/at/text()', query_to_xml('select min(created_at) as at from platform_private.encryption_salts where name = ''databases''', false, false, '')))[1]::text
         end as made_at
)
select 'salt-rotation' as name,
       case when every is null or made_at is null or now() < made_at::timestamptz + every::interval then 'PASS' else 'WARNING' end as status,
       coalesce('the salt is of ' || to_char(made_at::timestamptz at time zone 'UTC', 'YYYY-MM-DD') || ' UTC', 'there is no salt yet') as measured,
       coalesce('one that is not older than ' || every, 'no age is set') as expected,
       'Rotate it while readers and writers go on: npm run rotate -- salt' as mend
from told
