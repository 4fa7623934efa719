-- Where the registry's encryption salts live: a schema and a table that no role but the owner can read. The
-- program writes the first salt from a stack secret, a rotation the later ones; none stands in any file.

create schema platform_private;

comment on schema platform_private is 'Secrets of the control plane; no role but the owner may use it';

create table platform_private.encryption_salts (
  name text not null,
  salt text not null,
  created_at timestamptz not null default now(),
  version integer not null default 1,
  constraint encryption_salts_pkey primary key (name)
);

comment on table platform_private.encryption_salts is
  'Salts of encryption keys by use; "databases" is the one of platform.databases, "databases.next" its successor while a rotation is on';
comment on column platform_private.encryption_salts.version is
  'Key version: stands with each ciphertext that was made with this salt';
