-- kind: plan
-- What the audit trail stands on and never makes: the profiles of the application, and the function that tells who is signed in.
with wanted (name, found) as (
  select 'public.profiles.' || w.column_name,
         exists (select from pg_attribute a
                  where a.attrelid = to_regclass('public.profiles') and a.attname::text = w.column_name and not a.attisdropped
                    and (w.column_type is null or format_type(a.atttypid, null) = w.column_type))
    from (values ('id', 'uuid'), ('email', null), ('name', null), ('type', null), ('status', null),
                 ('deletedAt', 'timestamp with time zone')) w (column_name, column_type)
  union all
  select 'the primary key (id) of public.profiles',
         exists (select from pg_constraint c
                  where c.conrelid = to_regclass('public.profiles') and c.contype = 'p' and pg_get_constraintdef(c.oid) = 'PRIMARY KEY (id)')
  union all
  select 'auth.uid() that returns uuid',
         exists (select from pg_proc p where p.oid = to_regprocedure('auth.uid()') and p.prorettype = 'uuid'::regtype)
)
select 'base-objects' as name,
       case when bool_and(found) then 'PASS' else 'NO-GO' end as status,
       coalesce('missing or of another type: ' || string_agg(name, ', ') filter (where not found), 'all are there') as measured,
       'profiles with id uuid, email, name, type, status and deletedAt, and auth.uid()' as expected,
       'Name the database of the application: pulumi config set --secret databaseUrl' as mend
from wanted
