-- What the audit trail finds in its database and never makes or changes: the profiles of the application, and the
-- function that tells who is signed in. Only what the layer refers to stands here.

create schema auth;

create function auth.uid() returns uuid
language sql stable
return nullif(current_setting('request.jwt.claim.sub', true), '')::uuid;

grant usage on schema auth to anon, authenticated, service_role;

create type public."UserType" as enum ('VENDOR', 'CLIENT', 'DRIVER', 'ADMIN', 'HELPDESK', 'SUPER_ADMIN');
create type public."UserStatus" as enum ('ACTIVE', 'PENDING', 'DELETED');

create table public.profiles (
  id uuid not null default gen_random_uuid(),
  email text not null,
  name text,
  type public."UserType" not null default 'VENDOR',
  status public."UserStatus" not null default 'PENDING',
  "createdAt" timestamptz not null default now(),
  "updatedAt" timestamptz not null default now(),
  "deletedAt" timestamptz,
  constraint profiles_pkey primary key (id)
);
