-- Phase 4, the two registered services of Railway. A placeholder, which stands in where the stack has no
-- connection string yet, is inactive; a real one is not.

-- check: registration.rows
select
  'registration.rows' as name,
  case when count(distinct (name, type)) = 2 and count(*) = 2 then 'PASS' else 'FAIL' end as status,
  count(*) || ' rows' as measured,
  'Railway MongoDB and Railway Redis, once each' as expected
from platform.databases
where (name, type) in (('Railway MongoDB', 'mongodb'), ('Railway Redis', 'redis'));

-- check: registration.status
select
  'registration.status' as name,
  case
    when count(*) < 2 or bool_or(is_placeholder and status = 'active') then 'FAIL'
    when bool_or(not is_placeholder and status = 'inactive') then 'FAIL'
    when bool_or(status in ('error', 'maintenance')) then 'WARNING'
    else 'PASS'
  end as status,
  coalesce(string_agg(type || ': ' || status, ', ' order by type), 'no row') as measured,
  'active; inactive for a placeholder' as expected
from (
  select type, status, coalesce((metadata ->> 'placeholder')::boolean, false) as is_placeholder
  from platform.databases
  where metadata ->> 'provider' = 'railway'
) as registered;

-- check: registration.health
select
  'registration.health' as name,
  case
    when count(*) < 2 or bool_or(health_check_status is null) then 'FAIL'
    when bool_or(health_check_status = 'unhealthy') then 'WARNING'
    else 'PASS'
  end as status,
  coalesce(string_agg(type || ': ' || coalesce(health_check_status, 'null'), ', ' order by type), 'no row') as measured,
  'healthy, or unknown before the first check' as expected
from platform.databases
where metadata ->> 'provider' = 'railway';

-- check: registration.ciphertext
select
  'registration.ciphertext' as name,
  case when count(*) >= 2 and count(*) = count(connection_string_encrypted) then 'PASS' else 'FAIL' end as status,
  count(connection_string_encrypted) || ' of ' || count(*) || ' rows' as measured,
  'a ciphertext in every row' as expected
from platform.databases;

-- check: registration.decryption
-- as: studio_decrypt
-- writes
select
  'registration.decryption' as name,
  case when count(*) >= 2 and bool_and(works) then 'PASS' else 'FAIL' end as status,
  count(*) filter (where works) || ' of ' || count(*) || ' rows' as measured,
  'every row decrypts to a URL of its type, host and port' as expected
from (
  select
    coalesce(
      connection_string_decrypted ~ '^(mongodb|redis|rediss|postgres|postgresql)(\+srv)?://'
      and strpos(connection_string_decrypted, host) > 0, false
    ) as works
  from platform.databases_with_connection_strings
) as decrypted;

-- check: registration.private_network
select
  'registration.private_network' as name,
  case
    when count(*) < 2 then 'FAIL'
    when bool_and(host like '%.railway.internal') then 'PASS'
    -- A stack beside Railway reaches the services by their public address.
    else 'WARNING'
  end as status,
  count(*) filter (where host like '%.railway.internal') || ' of ' || count(*) || ' hosts, ' ||
    count(*) filter (where host not like '%.railway.internal' and ssl_enabled is not true) || ' public without TLS' as measured,
  'hosts that end in .railway.internal' as expected
from platform.databases
where metadata ->> 'provider' = 'railway';

-- check: registration.project
select
  'registration.project' as name,
  case when count(*) >= 2 and count(distinct p.id) = 1 and count(o.id) = count(*) then 'PASS' else 'FAIL' end as status,
  count(o.id) || ' of ' || count(*) || ' rows, ' || count(distinct p.id) || ' projects' as measured,
  'all of one project that has an organization' as expected
from platform.databases as d
left join platform.projects as p on p.id = d.project_id
left join platform.organizations as o on o.id = p.organization_id
where d.metadata ->> 'provider' = 'railway';

-- check: registration.config
select
  'registration.config' as name,
  case
    when count(*) = 2 and bool_and(
      case type
        when 'mongodb' then config ?& array['authSource', 'minPoolSize', 'maxPoolSize']
        else config ?& array['db', 'keyPrefix', 'connectTimeout']
      end
    ) then 'PASS'
    else 'FAIL'
  end as status,
  coalesce(string_agg(type || ': ' || (select count(*) from jsonb_object_keys(config)) || ' settings', ', '), 'no row')
    as measured,
  'pool settings of MongoDB, database number, prefix and time limit of Redis' as expected
from platform.databases
where (name, type) in (('Railway MongoDB', 'mongodb'), ('Railway Redis', 'redis'));

-- check: registration.metadata
select
  'registration.metadata' as name,
  case
    when count(*) = 2 and bool_and(metadata ->> 'provider' = 'railway' and metadata ? 'environment') then 'PASS'
    else 'FAIL'
  end as status,
  count(*) filter (where metadata ->> 'provider' = 'railway') || ' of ' || count(*) || ' rows name the provider' as measured,
  'provider railway, and an environment' as expected
from platform.databases
where (name, type) in (('Railway MongoDB', 'mongodb'), ('Railway Redis', 'redis'));
