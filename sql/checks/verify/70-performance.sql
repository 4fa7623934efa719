-- Phase 7, what can be told of speed at one moment: the best of five runs, so that a busy machine is no
-- fault. Times before and after a change are compared by the queries in `sql/checks/timings`.

-- check: performance.connections
select
  'performance.connections' as name,
  case when used < 0.8 * available then 'PASS' else 'FAIL' end as status,
  used || ' of ' || available || ' connections' as measured,
  'below 80 %' as expected
from (
  select
    (select count(*) from pg_stat_activity where backend_type = 'client backend') as used,
    current_setting('max_connections')::int as available
) as counted;

-- check: performance.project_query
do $$
declare
  v_start timestamptz;
  v_best numeric;
begin
  for n in 1..5 loop
    v_start := clock_timestamp();
    perform count(*) from platform.projects as p cross join lateral platform.get_project_databases(p.id) as d
      where p.id = (select project_id from platform.databases limit 1);
    v_best := least(v_best, extract(epoch from clock_timestamp() - v_start) * 1000);
  end loop;
  perform set_config('verification.elapsed_ms', v_best::text, true);
end
$$;

select
  'performance.project_query' as name,
  case when elapsed_ms < 10 then 'PASS' else 'FAIL' end as status,
  round(elapsed_ms, 2) || ' ms for the databases of a project' as measured,
  'below 10 ms' as expected
from (select current_setting('verification.elapsed_ms')::numeric as elapsed_ms) as measured;

-- check: performance.encryption
-- writes
do $$
declare
  v_start timestamptz;
  v_best numeric;
begin
  for n in 1..5 loop
    v_start := clock_timestamp();
    perform platform_private.encrypt_secret(
      'connection_string', gen_random_uuid(), gen_random_uuid(), 'redis://user:password@host:6379'
    );
    v_best := least(v_best, extract(epoch from clock_timestamp() - v_start) * 1000);
  end loop;
  perform set_config('verification.elapsed_ms', v_best::text, true);
end
$$;

select
  'performance.encryption' as name,
  case when elapsed_ms < 5 then 'PASS' else 'FAIL' end as status,
  round(elapsed_ms, 2) || ' ms for one encryption' as measured,
  'below 5 ms' as expected
from (select current_setting('verification.elapsed_ms')::numeric as elapsed_ms) as measured;

-- check: performance.decryption
-- writes
do $$
declare
  v_start timestamptz;
  v_best numeric;
begin
  for n in 1..5 loop
    v_start := clock_timestamp();
    perform platform.decrypt_database_connection_string(id) from platform.databases limit 1;
    v_best := least(v_best, extract(epoch from clock_timestamp() - v_start) * 1000);
  end loop;
  perform set_config('verification.elapsed_ms', v_best::text, true);
end
$$;

select
  'performance.decryption' as name,
  case when elapsed_ms < 5 then 'PASS' else 'FAIL' end as status,
  round(elapsed_ms, 2) || ' ms for one decryption' as measured,
  'below 5 ms' as expected
from (select current_setting('verification.elapsed_ms')::numeric as elapsed_ms) as measured;

-- check: performance.access_paths
select
  'performance.access_paths' as name,
  case when count(*) = 3 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 3 access paths' as measured,
  'usable indexes that begin with project_id, with type, and with project_id, type and status' as expected
from unnest(array['{project_id}', '{type}', '{project_id,type,status}']::text[][]) as path
where exists (
  select 1
  from pg_index as i
  where i.indrelid = 'platform.databases'::regclass and i.indisvalid and i.indpred is null
    and path::text[] <@ (
      select array_agg(a.attname::text order by k.n)
      from unnest(i.indkey::int2[]) with ordinality as k (attnum, n)
      join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.n <= cardinality(path::text[])
    )
);

-- check: performance.foreign_keys_have_indexes
select
  'performance.foreign_keys_have_indexes' as name,
  case
    when count(*) filter (where not has_index and rows > 100000) > 0 then 'FAIL'
    when count(*) filter (where not has_index and rows > 10000) > 0 then 'WARNING'
    else 'PASS'
  end as status,
  coalesce(
    'without: ' || string_agg(conname, ', ' order by conname) filter (where not has_index and rows > 10000),
    'none of ' || count(*) || ' lacks one'
  ) as measured,
  'an index for each foreign key of a table with more than 10000 rows: a delete in the parent reads them all' as expected
from (
  select
    c.conname,
    r.reltuples as rows,
    exists (
      select 1 from pg_index as i
      where i.indrelid = c.conrelid and i.indisvalid and i.indkey[0] = c.conkey[1]
    ) as has_index
  from pg_constraint as c
  join pg_class as r on r.oid = c.conrelid
  where c.contype = 'f' and c.connamespace = 'platform'::regnamespace
) as keys;
