-- Who has read secrets of the registry. Outlives the registry, and no role but the owner may use it: neither
-- a reader nor an application can forge a row or remove one.

create schema platform_audit;

comment on schema platform_audit is 'Audit trails that no application writes; no role but the owner may use it';

create table platform_audit.decryptions (
  id bigint generated always as identity,
  decrypted_at timestamptz not null default clock_timestamp(),
  session_role name not null,
  caller_role name not null,
  client_address inet,
  column_names text[] not null,
  database_ids uuid[] not null,
  constraint decryptions_pkey primary key (id)
);

comment on table platform_audit.decryptions is
  'Who has decrypted which registrations when, one row a call that reads some; never what they hold. Written by the decrypting functions';
comment on column platform_audit.decryptions.session_role is 'Role that has signed in';
comment on column platform_audit.decryptions.caller_role is 'Role that it had taken on';

create index idx_decryptions_decrypted_at on platform_audit.decryptions (decrypted_at);
