-- Phase 8, who may do and see what. The bypass of row-level security is asked of the application's role:
-- that of the connecting role says nothing about it.

-- check: security.no_plaintext
select
  'security.no_plaintext' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  count(*) || ' rows with a password or a full connection string' as measured,
  'the masked form only' as expected
from platform.databases
where password is not null or connection_string ~ '://[^/]*@' or connection_string ~* '[?&]password=';

-- check: security.no_secret_in_settings
select
  'security.no_secret_in_settings' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  count(*) || ' rows with a readable secret in config or metadata' as measured,
  'none; ******** in the place of each that config has' as expected
from platform.databases
where platform_private.masked_settings(config) is distinct from config
  or platform_private.masked_settings(metadata) is distinct from metadata;

-- check: security.ciphertexts_have_their_key
select
  'security.ciphertexts_have_their_key' as name,
  case
    when count(*) filter (where s.name is null) > 0 then 'FAIL'
    when count(*) filter (where get_byte(c.ciphertext, 0) >= 128) > 0 then 'WARNING'
    else 'PASS'
  end as status,
  count(*) || ' ciphertexts, ' || count(*) filter (where s.name is null) || ' without a salt of their key version, '
    || count(*) filter (where get_byte(c.ciphertext, 0) >= 128) || ' from before key versions' as measured,
  'all of today''s form, with a salt of their key version; npm run rotate -- salt makes them so' as expected
from platform.databases as d
cross join unnest(array[d.connection_string_encrypted, d.password_encrypted, d.config_encrypted]) as c (ciphertext)
left join platform_private.encryption_salts as s
  on s.name in ('databases', 'databases.next') and s.version = platform_private.key_version(c.ciphertext)
  and not (s.name = 'databases.next' and exists (
    select from platform_private.encryption_salts as o where o.name = 'databases' and o.version = s.version
  ))
where length(c.ciphertext) > 0;

-- check: security.ciphertexts_are_bound
-- writes
do $$
declare
  v_id uuid := gen_random_uuid();
  v_project_id uuid := gen_random_uuid();
  v_ciphertext bytea := platform_private.encrypt_secret('password', v_id, v_project_id, 'verification');
  v_opened text[];
  v_place record;
begin
  for v_place in
    select * from (values
      ('its place', 'password', v_id, v_project_id), ('another row', 'password', v_project_id, v_project_id),
      ('another column', 'config', v_id, v_project_id), ('another project', 'password', v_id, v_id)
    ) as p (what, column_name, id, project_id)
  loop
    begin
      perform platform_private.decrypt_secret(v_place.column_name, v_place.id, v_place.project_id, v_ciphertext);
      v_opened := v_opened || v_place.what;
    exception when external_routine_invocation_exception then
      null;
    end;
  end loop;
  perform set_config('verification.opened', coalesce(array_to_string(v_opened, ', '), 'nowhere'), true);
end
$$;

select
  'security.ciphertexts_are_bound' as name,
  case when opened = 'its place' then 'PASS' else 'FAIL' end as status,
  'opens in ' || opened as measured,
  'opens in its place alone: column, row and project' as expected
from current_setting('verification.opened') as opened;

-- check: security.unknown_id_decrypts_to_null
-- as: studio_decrypt
-- writes
select
  'security.unknown_id_decrypts_to_null' as name,
  case when decrypted is null then 'PASS' else 'FAIL' end as status,
  case when decrypted is null then 'null' else 'a text' end as measured,
  'null' as expected
from platform.decrypt_database_connection_string('00000000-0000-0000-0000-000000000000') as decrypted;

-- check: security.decryption_is_restricted
select
  'security.decryption_is_restricted' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('may decrypt: ' || string_agg(distinct what, ', '), 'studio_decrypt alone') as measured,
  'neither PUBLIC, nor studio_readonly, nor studio_app unless it is a member of studio_decrypt' as expected
from unnest(array[
  'platform.decrypt_database_connection_string(uuid)', 'platform.decrypt_databases(uuid[])',
  'platform_private.connection_string_of(uuid)', 'platform_private.decrypt_secret(text, uuid, uuid, bytea, text)'
]::regprocedure[]) as f
cross join lateral (
  select 'PUBLIC' as what
  from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
  where p.oid = f and a.grantee = 0
  union all
  select r
  from unnest(array['studio_app', 'studio_readonly']) as r
  where has_function_privilege(r, f, 'EXECUTE') and not pg_has_role(r, 'studio_decrypt', 'MEMBER')
) as others;

-- check: security.decryptions_are_noted
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

select count(*)
from platform.decrypt_databases(
  array['00000000-0000-0000-0000-000000000000']::uuid[]
  || array(select id from platform.databases where name = 'pgstrata verification')
);

select count(platform.decrypt_database_connection_string(id))
from platform.databases
where name = 'pgstrata verification';

reset role;

select
  'security.decryptions_are_noted' as name,
  case when count(*) = 2 then 'PASS' else 'FAIL' end as status,
  count(*) || ' notes of 2 decryptions' as measured,
  'one with time, roles and the id that is read for each' as expected
from platform_audit.decryptions
where decrypted_at >= now() and session_role = session_user and caller_role = 'studio_decrypt'
  and database_ids = array(select id from platform.databases where name = 'pgstrata verification');

-- check: security.notes_are_the_owners
select
  'security.notes_are_the_owners' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(r || ' may ' || p, ', '), 'none') as measured,
  'no privilege on platform_audit.decryptions for any other role' as expected
from unnest(array['public', 'studio_app', 'studio_readonly', 'studio_decrypt']) as r,
  unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as p
where has_table_privilege(r, 'platform_audit.decryptions', p);

-- check: security.restricted_view_is_not_public
select
  'security.restricted_view_is_not_public' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('readable for: ' || string_agg(r, ', '), 'studio_decrypt alone') as measured,
  'databases_with_connection_strings for studio_decrypt alone' as expected
from unnest(array['public', 'studio_app', 'studio_readonly']) as r
where has_table_privilege(r, 'platform.databases_with_connection_strings', 'SELECT')
  and (r = 'public' or not pg_has_role(r, 'studio_decrypt', 'MEMBER'));

-- check: security.safe_view_is_readable
select
  'security.safe_view_is_readable' as name,
  case when bool_and(has_table_privilege(r, 'platform.databases_safe', 'SELECT')) then 'PASS' else 'FAIL' end as status,
  count(*) filter (where has_table_privilege(r, 'platform.databases_safe', 'SELECT')) || ' of 2 roles' as measured,
  'databases_safe for studio_app and studio_readonly' as expected
from unnest(array['studio_app', 'studio_readonly']) as r;

-- check: security.safe_view_hides_secrets
select
  'security.safe_view_hides_secrets' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('shows ' || string_agg(attname, ', '), 'none') as measured,
  'no user name, password, connection string or ciphertext' as expected
from pg_attribute
where attrelid = 'platform.databases_safe'::regclass and attnum > 0 and not attisdropped
  and attname in ('username', 'password', 'connection_string', 'connection_string_encrypted', 'health_check_error');

-- check: security.rls_binds_the_application
select
  'security.rls_binds_the_application' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(what, ', '), 'studio_app and studio_readonly are bound') as measured,
  'no superuser, no BYPASSRLS, no owner of a table, nor a member of such a role' as expected
from (
  select m.rolname || ' may become ' || r.rolname || ', which passes policies by' as what
  from pg_roles as m
  join pg_roles as r on pg_has_role(m.oid, r.oid, 'MEMBER')
  where m.rolname in ('studio_app', 'studio_readonly') and (r.rolsuper or r.rolbypassrls)
  union all
  select distinct m.rolname || ' owns tables, itself or through ' || r.rolname
  from pg_roles as m
  join pg_roles as r on pg_has_role(m.oid, r.oid, 'MEMBER')
  join pg_class as c on c.relowner = r.oid
  where m.rolname in ('studio_app', 'studio_readonly')
    and c.relkind in ('r', 'p') and c.relnamespace = 'platform'::regnamespace and not c.relforcerowsecurity
) as faults;

-- A role sets its own defaults, so each session of one can lock it out: no right is needed, and none can be taken.
-- check: security.role_settings
select
  'security.role_settings' as name,
  case when bool_or(breaks) then 'FAIL' when count(*) > 0 then 'WARNING' else 'PASS' end as status,
  coalesce(string_agg(role || ': ' || setting, ', ' order by role, setting), 'none') as measured,
  'no setting of the access roles that is not declared' || coalesce(
    '; ' || string_agg(
      format('ALTER ROLE %I%s RESET %s', role, ' IN DATABASE ' || quote_ident(database), setting), '; ' order by role, setting
    ),
    ''
  ) as expected
from (
  select
    r.rolname::text collate "default" as role,
    d.datname::text as database,
    split_part(c, '=', 1) as setting,
    split_part(c, '=', 1) in (
      'row_security', 'default_transaction_read_only', 'search_path', 'role', 'app.context', 'session_replication_role'
    ) as breaks,
    r.rolname in ('studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt') as is_access_role
  from pg_db_role_setting as s
  join pg_roles as r on r.oid = s.setrole and not r.rolsuper
  left join pg_database as d on d.oid = s.setdatabase
  cross join unnest(s.setconfig) as c
  where (s.setdatabase = 0 or d.datname = current_database())
    and exists (
      select from pg_roles as a
      where a.rolname in ('studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt')
        and pg_has_role(r.oid, a.oid, 'MEMBER')
    )
) as settings
where breaks or is_access_role;

-- check: security.rls_is_really_on
-- as: studio_app
select
  'security.rls_is_really_on' as name,
  case when count(*) > 0 and bool_and(row_security_active(oid)) then 'PASS' else 'FAIL' end as status,
  count(*) filter (where row_security_active(oid)) || ' of ' || count(*) || ' tables, for ' || current_user as measured,
  'row-level security in effect on every table' as expected
from pg_class
where relnamespace = 'platform'::regnamespace and relkind in ('r', 'p');

-- check: security.definer_functions_are_closed
select
  'security.definer_functions_are_closed' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(what, ', ' order by what), 'all are') as measured,
  'SECURITY DEFINER with a search_path that ends with pg_temp, and without EXECUTE for PUBLIC' as expected
from (
  select p.proname || ' lets pg_temp come first' as what
  from pg_proc as p
  where p.pronamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_audit'::regnamespace, 'platform_private'::regnamespace) and p.prosecdef
    and not exists (select 1 from unnest(p.proconfig) as c where c like 'search_path=%, pg_temp')
  union all
  select p.proname || ' is for PUBLIC'
  from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
  where p.pronamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_audit'::regnamespace, 'platform_private'::regnamespace) and p.prosecdef and a.grantee = 0
) as faults;

-- check: security.nothing_is_public
select
  'security.nothing_is_public' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('for PUBLIC: ' || string_agg(what, ', ' order by what), 'nothing') as measured,
  'no table, view, function or schema of the platform for PUBLIC' as expected
from (
  select c.relname::text as what
  from pg_class as c, aclexplode(c.relacl) as a
  where c.relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_audit'::regnamespace, 'platform_private'::regnamespace) and a.grantee = 0
  union
  select c.relname || '.' || t.attname
  from pg_attribute as t
  join pg_class as c on c.oid = t.attrelid, aclexplode(t.attacl) as a
  where c.relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_audit'::regnamespace, 'platform_private'::regnamespace) and a.grantee = 0
  union
  select p.proname || '()'
  from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
  where p.pronamespace in ('platform'::regnamespace, 'platform_access'::regnamespace, 'platform_audit'::regnamespace, 'platform_private'::regnamespace) and a.grantee = 0
  union
  select 'schema ' || n.nspname
  from pg_namespace as n, aclexplode(n.nspacl) as a
  where n.nspname in ('platform', 'platform_access', 'platform_audit', 'platform_private') and a.grantee = 0
) as grants;

-- check: security.salt_is_the_owners
select
  'security.salt_is_the_owners' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('reachable for ' || string_agg(r, ', '), 'the owner alone') as measured,
  'schema platform_private and its salts for no other role' as expected
from unnest(array['public', 'studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt']) as r
where has_schema_privilege(r, 'platform_private', 'USAGE')
  or has_table_privilege(r, 'platform_private.encryption_salts', 'SELECT');

-- check: security.salt_is_long
select
  'security.salt_is_long' as name,
  case
    when count(*) filter (where name = 'databases') = 1 and min(length(salt)) >= 32 then
      case when count(*) = 1 then 'PASS' else 'WARNING' end
    else 'FAIL'
  end as status,
  count(*) || ' salts, ' || count(*) filter (where length(salt) >= 32) || ' long enough' as measured,
  '1 salt of 32 characters or more; 2 while a rotation is on' as expected
from platform_private.encryption_salts
where name in ('databases', 'databases.next');

-- check: security.secrets_are_restricted
select
  'security.secrets_are_restricted' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('readable: ' || string_agg(r || ' ' || t || '.' || c, ', '), 'none') as measured,
  'secrets that open another system for studio_decrypt alone' as expected
from unnest(array['studio_app', 'studio_readonly', 'studio_system']) as r,
  (
    values
      ('platform.projects', 'database_password'), ('platform.credentials', 'service_role_key'),
      ('platform.credentials', 'jwt_secret'), ('platform.databases', 'connection_string_encrypted'),
      ('platform.databases', 'password_encrypted'), ('platform.databases', 'config_encrypted')
  ) as secrets (t, c)
where has_column_privilege(r, t, c, 'SELECT') and not pg_has_role(r, 'studio_decrypt', 'MEMBER');

-- check: security.audit_only_grows
select
  'security.audit_only_grows' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce(string_agg(r || ' may ' || p, ', '), 'none') as measured,
  'no UPDATE, DELETE or TRUNCATE of audit_logs for an application' as expected
from unnest(array['studio_app', 'studio_readonly', 'studio_system']) as r, unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as p
where has_table_privilege(r, 'platform.audit_logs', p);

-- check: security.context_keys_are_the_owners
select
  'security.context_keys_are_the_owners' as name,
  case when count(*) = 0 then 'PASS' else 'FAIL' end as status,
  coalesce('reachable for ' || string_agg(distinct r, ', '), 'the owner alone') as measured,
  'keys of request contexts, and what signs with them, for no other role' as expected
from unnest(array['public', 'studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt']) as r
where has_table_privilege(r, 'platform_access.context_keys', 'SELECT')
  or has_any_column_privilege(r, 'platform_access.context_keys', 'SELECT')
  or has_function_privilege(r, 'platform_access.signed_context(uuid, uuid)', 'EXECUTE');

-- check: security.request_context
select
  'security.request_context' as name,
  case when count(*) = 3 and bool_and(test_passed) then 'PASS' else 'FAIL' end as status,
  coalesce('fails: ' || string_agg(test_name, ', ') filter (where test_passed is not true), count(*) || ' tests hold')
    as measured,
  'a context that is signed is believed, and no other' as expected
from platform_access.test_context();
