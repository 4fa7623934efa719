-- The ten sections of the report on registered databases, each with a verdict: before, none had one.

-- check: health.01 registered databases
select
  'health.01 registered databases' as name,
  case when count(*) >= 2 then 'PASS' else 'FAIL' end as status,
  count(*) || ' databases of ' || count(distinct type) || ' types' as measured,
  '2 or more' as expected
from platform.databases;

-- check: health.02 encryption
select
  'health.02 encryption' as name,
  case
    when count(*) > 0 and count(*) = count(connection_string_encrypted) and min(length(connection_string_encrypted)) > 64
      then 'PASS'
    else 'FAIL'
  end as status,
  count(connection_string_encrypted) || ' of ' || count(*) || ' encrypted, the shortest of '
    || coalesce(min(length(connection_string_encrypted))::text, 'no') || ' bytes' as measured,
  'all, each longer than a header' as expected
from platform.databases;

-- check: health.03 format
-- as: studio_decrypt
-- writes
select
  'health.03 format' as name,
  case
    when count(*) = 0 or not bool_and(
      length(trim(host)) > 0 and port between 1 and 65535
      and coalesce(connection_string_decrypted ~ (
        case type
          when 'mongodb' then '^mongodb(\+srv)?://.'
          when 'redis' then '^rediss?://.'
          when 'mysql' then '^mysql://.'
          when 'convex' then '^convex://.'
          else '^postgres(ql)?://.'
        end
      ), false)
    ) then 'FAIL'
    when bool_and(host like '%.railway.internal' or host like '%.rlwy.net' or host like '%.railway.app') then 'PASS'
    else 'WARNING'
  end as status,
  count(*) filter (where host like '%.railway.internal') || ' private, '
    || count(*) filter (where host like '%.rlwy.net' or host like '%.railway.app') || ' public, '
    || count(*) filter (where host !~ '\.(railway\.internal|rlwy\.net|railway\.app)$') || ' other hosts' as measured,
  'a scheme of the type (TLS and SRV too), a host of Railway, a port' as expected
from platform.databases_with_connection_strings;

-- check: health.04 configuration
select
  'health.04 configuration' as name,
  case when count(*) > 0 and bool_and(coalesce(jsonb_typeof(config) = 'object', false)) then 'PASS' else 'FAIL' end
    as status,
  count(*) filter (where jsonb_typeof(config) = 'object') || ' of ' || count(*) || ' with settings' as measured,
  'an object of settings in every row' as expected
from platform.databases;

-- check: health.05 metadata
select
  'health.05 metadata' as name,
  case when count(*) > 0 and bool_and(coalesce(jsonb_typeof(metadata) = 'object', false)) then 'PASS' else 'FAIL' end
    as status,
  count(*) filter (where jsonb_typeof(metadata) = 'object') || ' of ' || count(*) || ' with notes' as measured,
  'an object of notes in every row' as expected
from platform.databases;

-- check: health.06 health history
select
  'health.06 health history' as name,
  case
    when count(*) = 0 or bool_or(last_health_check_at > now() or health_check_status is null) then 'FAIL'
    when bool_or(health_check_status <> 'unknown' and last_health_check_at is null) then 'FAIL'
    when bool_or(last_health_check_at < now() - interval '10 minutes') then 'WARNING'
    else 'PASS'
  end as status,
  count(*) filter (where last_health_check_at is null) || ' never checked, '
    || count(*) filter (where last_health_check_at < now() - interval '10 minutes') || ' stale, '
    || count(*) filter (where last_health_check_at between now() - interval '10 minutes' and now()) || ' fresh' as measured,
  'a state with a time that is not to come, and not older than 10 min' as expected
from platform.databases;

-- check: health.07 association
select
  'health.07 association' as name,
  case when count(*) > 0 and count(*) = count(o.id) then 'PASS' else 'FAIL' end as status,
  count(o.id) || ' of ' || count(*) || ' with project and organization' as measured,
  'all' as expected
from platform.databases as d
left join platform.projects as p on p.id = d.project_id
left join platform.organizations as o on o.id = p.organization_id;

-- check: health.08 statistics
select
  'health.08 statistics' as name,
  case
    when count(*) = count(*) filter (where status in ('active', 'inactive', 'error', 'maintenance'))
      and count(*) = count(*) filter (where type in ('mongodb', 'redis', 'postgresql', 'mysql', 'neon', 'convex'))
      and count(*) > 0 then 'PASS'
    else 'FAIL'
  end as status,
  count(*) || ' in all: ' || count(*) filter (where status = 'active') || ' active, '
    || count(*) filter (where status = 'inactive') || ' inactive, ' || count(*) filter (where status = 'error')
    || ' error, ' || count(*) filter (where status = 'maintenance') || ' maintenance' as measured,
  'each row counted under one of 4 states and one of the types' as expected
from platform.databases;

-- check: health.09 decryption
-- as: studio_decrypt
-- writes
select
  'health.09 decryption' as name,
  case when count(*) > 0 and count(*) = count(connection_string_decrypted) then 'PASS' else 'FAIL' end as status,
  count(connection_string_decrypted) || ' of ' || count(*) || ' decrypted' as measured,
  'all' as expected
from platform.databases_with_connection_strings;

-- check: health.10 actions
select
  'health.10 actions' as name,
  case when count(*) = 3 then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 3 may be called by studio_app' as measured,
  'get_project_databases, update_database_health, and reading databases_safe' as expected
from unnest(array[
  case
    when has_function_privilege('studio_app', 'platform.get_project_databases(uuid, text)', 'EXECUTE') then 'list'
  end,
  case
    when has_function_privilege('studio_app', 'platform.update_database_health(uuid, text, text)', 'EXECUTE') then 'health'
  end,
  case when has_table_privilege('studio_app', 'platform.databases_safe', 'SELECT') then 'look' end
]) as action
where action is not null;
