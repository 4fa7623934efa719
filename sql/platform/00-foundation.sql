-- Foundation of the control plane: the schema, its extensions and the two trigger functions
-- that keep timestamps fresh. Everything below names its schema, so no search_path is assumed.

create schema platform;

comment on schema platform is 'Control plane of the multi-tenant database studio';

-- In public, where a stock installation puts them: an existing database keeps its defaults.
create extension if not exists "uuid-ossp" with schema public;
create extension if not exists pgcrypto with schema public;

create function platform.update_updated_at_column()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

revoke all on function platform.update_updated_at_column() from public;

-- user_sessions has no updated_at; its freshness is its last activity.
create function platform.update_last_activity_at_column()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.last_activity_at := now();
  return new;
end;
$$;

revoke all on function platform.update_last_activity_at_column() from public;
