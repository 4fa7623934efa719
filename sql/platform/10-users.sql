-- Platform accounts and their login sessions.

create table platform.users (
  id uuid not null default public.uuid_generate_v4(),
  email text not null,
  username text,
  first_name text,
  last_name text,
  avatar_url text,
  phone text,
  password_hash text,
  mfa_enabled boolean default false,
  email_confirmed_at timestamptz,
  banned_until timestamptz,
  deleted_at timestamptz,
  metadata jsonb default '{}'::jsonb,
  last_sign_in_at timestamptz,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  constraint users_pkey primary key (id),
  constraint users_email_key unique (email),
  constraint users_username_key unique (username),
  constraint users_email_format check (email ~ '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
  constraint users_username_format check (username is null or username ~ '^[A-Za-z0-9_-]{3,50}$'),
  constraint users_phone_format check (phone is null or phone ~ '^\+?[1-9][0-9]{1,14}$')
);

comment on table platform.users is 'Platform accounts; deleted_at marks a soft-deleted one';

-- An invitation and a sign-in take an address without regard to case, as mail does: two that differ by it alone
-- would be one person's to one of them and another's to the other.
create unique index users_email_lower_key on platform.users (lower(email));
create index idx_users_email on platform.users (email) where deleted_at is null;
create index idx_users_username on platform.users (username) where deleted_at is null;
create index idx_users_created_at on platform.users (created_at);
create index idx_users_last_sign_in on platform.users (last_sign_in_at desc);

create trigger update_users_updated_at
before update on platform.users
for each row execute function platform.update_updated_at_column();

create table platform.user_sessions (
  id uuid not null default public.uuid_generate_v4(),
  user_id uuid not null,
  token text not null,
  refresh_token text,
  ip_address inet,
  user_agent text,
  expires_at timestamptz not null,
  last_activity_at timestamptz default now(),
  created_at timestamptz default now(),
  constraint user_sessions_pkey primary key (id),
  constraint user_sessions_token_key unique (token),
  constraint user_sessions_refresh_token_key unique (refresh_token),
  constraint user_sessions_user_id_fkey foreign key (user_id) references platform.users (id) on delete cascade,
  constraint sessions_expires_valid check (expires_at > created_at)
);

comment on table platform.user_sessions is 'Login sessions; token holds a hash, never the token itself';

create index idx_user_sessions_user on platform.user_sessions (user_id);
create index idx_user_sessions_token on platform.user_sessions (token, expires_at);
create index idx_user_sessions_expires on platform.user_sessions (expires_at);
create index idx_user_sessions_activity on platform.user_sessions (last_activity_at desc);

create trigger update_user_sessions_activity
before update on platform.user_sessions
for each row execute function platform.update_last_activity_at_column();
