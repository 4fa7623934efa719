-- Phase 5, whether the registry and the tables beside it do what they are for, tried as background work would,
-- whom the policies of both phases let through. Each check makes the organization and the project that it
-- needs; all of it is undone.

-- check: functional.insert_is_encrypted
-- as: studio_system, studio_decrypt
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations
where slug = 'pgstrata-verification';

insert into platform.databases (project_id, name, type, host, port, connection_string)
select id, 'pgstrata verification', 'redis', 'verification.test', 6379, 'redis://user:first@verification.test:6379'
from platform.projects
where ref = 'pgstrata-verification';

set local role studio_decrypt;

select
  'functional.insert_is_encrypted' as name,
  case
    when count(*) = 1 and bool_and(
      connection_string = 'redis://verification.test:6379' and password is null
      and connection_string_encrypted is not null
      and strpos(encode(connection_string_encrypted, 'escape'), 'first') = 0
    ) then 'PASS'
    else 'FAIL'
  end as status,
  count(connection_string_encrypted) || ' of 1 row encrypted, '
    || count(*) filter (where connection_string = 'redis://verification.test:6379') || ' masked' as measured,
  'a ciphertext, and the masked form beside it' as expected
from platform.databases
where name = 'pgstrata verification';

-- check: functional.decryption_gives_the_input
-- as: studio_system, studio_decrypt
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations
where slug = 'pgstrata-verification';

insert into platform.databases (project_id, name, type, host, port, connection_string)
select id, 'pgstrata verification', 'redis', 'verification.test', 6379, 'redis://user:first@verification.test:6379'
from platform.projects
where ref = 'pgstrata-verification';

set local role studio_decrypt;

select
  'functional.decryption_gives_the_input' as name,
  case
    when count(*) filter (where connection_string_decrypted = 'redis://user:first@verification.test:6379') = 1 then 'PASS'
    else 'FAIL'
  end as status,
  count(*) filter (where connection_string_decrypted = 'redis://user:first@verification.test:6379')
    || ' of 1 row equal to what was written' as measured,
  'the string that was written' as expected
from platform.databases_with_connection_strings
where name = 'pgstrata verification';

-- check: functional.update_is_encrypted_anew
-- as: studio_system, studio_decrypt
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations
where slug = 'pgstrata-verification';

insert into platform.databases (project_id, name, type, host, port, connection_string)
select id, 'pgstrata verification', 'redis', 'verification.test', 6379, 'redis://user:first@verification.test:6379'
from platform.projects
where ref = 'pgstrata-verification';

update platform.databases
set connection_string = 'redis://user:second@verification.test:6379'
where name = 'pgstrata verification';

set local role studio_decrypt;

select
  'functional.update_is_encrypted_anew' as name,
  case
    when count(*) filter (where connection_string_decrypted = 'redis://user:second@verification.test:6379') = 1 then 'PASS'
    else 'FAIL'
  end as status,
  count(*) filter (where connection_string_decrypted = 'redis://user:second@verification.test:6379')
    || ' of 1 row holds the new string' as measured,
  'the new string' as expected
from platform.databases_with_connection_strings
where name = 'pgstrata verification';

-- check: functional.ciphertexts_differ
-- as: studio_system, studio_decrypt
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations
where slug = 'pgstrata-verification';

insert into platform.databases (project_id, name, type, host, port, connection_string)
select id, 'pgstrata verification', 'redis', 'verification.test', 6379, 'redis://user:first@verification.test:6379'
from platform.projects, generate_series(1, 2)
where ref = 'pgstrata-verification';

set local role studio_decrypt;

select
  'functional.ciphertexts_differ' as name,
  case when count(distinct connection_string_encrypted) = 2 then 'PASS' else 'FAIL' end as status,
  count(distinct connection_string_encrypted) || ' ciphertexts of one string in 2 rows' as measured,
  '2 different ciphertexts' as expected
from platform.databases
where name = 'pgstrata verification';

-- check: functional.filter_by_project_and_type
-- as: studio_system
-- writes
insert into platform.organizations (name, slug) values ('Verification', 'pgstrata-verification');

insert into platform.projects (
  organization_id, name, slug, ref, database_host, database_name, database_user, database_password,
  postgres_meta_url, supabase_url
)
select id, 'Verification', 'pgstrata-verification', 'pgstrata-verification', 'h', 'd', 'u', 'none', 'http://m', 'http://s'
from platform.organizations
where slug = 'pgstrata-verification';

insert into platform.databases (project_id, name, type, host, port, connection_string, status)
select p.id, 'pgstrata verification', d.type, 'verification.test', 1, d.type || '://user:first@verification.test:1', d.status
from platform.projects as p,
  (values ('redis', 'active'), ('mongodb', 'maintenance'), ('mongodb', 'inactive')) as d (type, status)
where p.ref = 'pgstrata-verification';

select
  'functional.filter_by_project_and_type' as name,
  case when every = 2 and redis = 1 and foreign_rows = 0 then 'PASS' else 'FAIL' end as status,
  every || ' of the project, ' || redis || ' of type redis, ' || foreign_rows || ' of others' as measured,
  '2 that are not inactive, 1 of them of type redis, none of others' as expected
from (
  select
    (select count(*) from platform.get_project_databases(p.id)) as every,
    (select count(*) from platform.get_project_databases(p.id, 'redis')) as redis,
    (select count(*) from platform.get_project_databases(p.id) as d where d.project_id <> p.id) as foreign_rows
  from platform.projects as p
  where p.ref = 'pgstrata-verification'
) as counted;

-- check: functional.health_is_recorded
-- as: studio_system
-- writes
select platform.update_database_health(id, 'unhealthy', 'verification')
from platform.databases
order by created_at
limit 1;

select
  'functional.health_is_recorded' as name,
  case
    when count(*) filter (where health_check_status = 'unhealthy' and last_health_check_at = now()) = 1 then 'PASS'
    else 'FAIL'
  end as status,
  count(*) filter (where last_health_check_at = now()) || ' rows changed' as measured,
  'the one row of the check, with state and time' as expected
from platform.databases;

-- check: functional.feature_flags_are_written
-- as: studio_system
-- writes
insert into platform.feature_flags (flag_key, flag_name) values ('pgstrata_verification', 'Verification');

update platform.feature_flags set enabled = true where flag_key = 'pgstrata_verification';

with deleted as (
  delete from platform.feature_flags where flag_key = 'pgstrata_verification' returning enabled
)

select
  'functional.feature_flags_are_written' as name,
  case when count(*) = 1 and bool_and(enabled) then 'PASS' else 'FAIL' end as status,
  count(*) || ' of 1 row inserted, updated and deleted' as measured,
  '1 row' as expected
from deleted;

-- check: functional.timestamps_are_kept
-- as: studio_system
-- writes
insert into platform.users (email, updated_at) values ('pgstrata-verification@example.org', '2000-01-01');

reset role;

insert into platform.user_sessions (user_id, token, expires_at, last_activity_at)
select id, 'pgstrata verification', now() + interval '1 hour', '2000-01-01'
from platform.users
where email = 'pgstrata-verification@example.org';

set local role studio_system;

update platform.users set first_name = 'Verified' where email = 'pgstrata-verification@example.org';

update platform.user_sessions as s
set user_agent = 'verification'
from platform.users as u
where u.id = s.user_id and u.email = 'pgstrata-verification@example.org';

select
  'functional.timestamps_are_kept' as name,
  case when count(*) = 1 and bool_and(u.updated_at = now() and s.last_activity_at = now()) then 'PASS' else 'FAIL' end
    as status,
  count(*) filter (where u.updated_at = now()) || ' of 1 user, '
    || count(*) filter (where s.last_activity_at = now()) || ' of 1 session' as measured,
  'the time of the update' as expected
from platform.users as u
join platform.user_sessions as s on s.user_id = u.id
where u.email = 'pgstrata-verification@example.org';
