-- Where the registry's encryption salt lives: a schema and a table that no role but the owner can
-- read. The row is written by the program from a stack secret; no salt stands in any file or function.

create schema platform_private;

comment on schema platform_private is 'Secrets of the control plane; no role but the owner may use it';

create table platform_private.encryption_salts (
  name text not null,
  salt text not null,
  created_at timestamptz not null default now(),
  constraint encryption_salts_pkey primary key (name)
);

comment on table platform_private.encryption_salts is
  'Salts of encryption keys by use; "databases" is the one of platform.databases';
