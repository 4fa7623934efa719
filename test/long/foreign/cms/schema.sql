-- A content management system, as a JavaScript framework's migrations leave it: lower-case keywords, names in
-- camel case and in quotes, texts as varchar(255), everything in public.

create extension if not exists pgcrypto;
create extension if not exists unaccent;

create type post_status as enum ('draft', 'scheduled', 'published', 'archived');
create type post_visibility as enum ('public', 'members', 'paid');
create type "NewsletterFrequency" as enum ('daily', 'weekly');

create domain slug as varchar(191) check (value ~ '^[a-z0-9]+(-[a-z0-9]+)*$');
create domain email as varchar(320) constraint email_has_at check (position('@' in value) > 1);

create or replace function slugify(input text) returns text
language sql immutable strict parallel safe
as $$
  select trim(both '-' from regexp_replace(lower(input), '[^a-z0-9]+', '-', 'g'))
$$;

create or replace function touch_updated_at() returns trigger
language plpgsql
as $$
begin
  new."updatedAt" := now();
  return new;
end
$$;

create table users (
  id uuid default gen_random_uuid() primary key,
  name varchar(191) not null,
  slug slug not null,
  email email not null,
  "passwordHash" varchar(60),
  bio text,
  website varchar(2000),
  "profileImage" varchar(2000),
  settings jsonb default '{}'::jsonb not null,
  status varchar(50) default 'active' not null,
  "lastSeenAt" timestamp with time zone,
  "createdAt" timestamp with time zone default current_timestamp not null,
  "updatedAt" timestamp with time zone default current_timestamp not null,
  constraint users_slug_unique unique (slug),
  constraint users_status_check check (status in ('active', 'inactive', 'locked', 'warn-1', 'warn-2'))
);
create unique index "users_email_lower_unique" on users (lower(email));

create table roles (
  id serial primary key,
  name varchar(50) not null unique,
  description varchar(2000)
);

create table "roles_users" (
  "roleId" integer not null references roles (id) on delete cascade,
  "userId" uuid not null references users (id) on delete cascade,
  primary key ("roleId", "userId")
);

create table permissions (
  id serial primary key,
  "objectType" varchar(50) not null,
  "actionType" varchar(50) not null,
  unique ("objectType", "actionType")
);

create table permissions_roles (
  permission_id integer not null references permissions (id) on delete cascade,
  role_id integer not null references roles (id) on delete cascade,
  primary key (permission_id, role_id)
);

create table posts (
  id bigserial primary key,
  uuid uuid default gen_random_uuid() not null unique,
  title varchar(2000) not null,
  slug slug not null,
  lexical jsonb,
  html text,
  plaintext text,
  "featureImage" varchar(2000),
  featured boolean default false not null,
  type varchar(50) default 'post' not null constraint "posts_type_check" check (type in ('post', 'page')),
  status post_status default 'draft' not null,
  visibility post_visibility default 'public' not null,
  locale varchar(6),
  "wordCount" integer generated always as (coalesce(array_length(regexp_split_to_array(trim(plaintext), '\s+'), 1), 0)) stored,
  "authorId" uuid not null,
  "publishedAt" timestamp with time zone,
  "createdAt" timestamp with time zone default current_timestamp not null,
  "updatedAt" timestamp with time zone default current_timestamp not null,
  constraint "posts_slug_type_unique" unique (slug, type),
  constraint "posts_published_has_date" check (status <> 'published' or "publishedAt" is not null)
);
alter table posts add constraint "posts_authorId_foreign" foreign key ("authorId") references users (id);
create index "posts_status_publishedAt" on posts (status, "publishedAt" desc nulls last);
create index "posts_featured" on posts ("publishedAt") where featured;
create index "posts_lexical_gin" on posts using gin (lexical jsonb_path_ops);
create index "posts_createdAt_brin" on posts using brin ("createdAt");

create table posts_meta (
  post_id bigint primary key references posts (id) on delete cascade,
  og_title varchar(300),
  og_description varchar(500),
  meta_title varchar(2000),
  meta_description varchar(2000),
  email_only boolean default false not null
);

create table post_revisions (
  id bigint generated always as identity primary key,
  post_id bigint not null references posts (id) on delete cascade,
  author_id uuid references users (id) on delete set null,
  lexical jsonb,
  title varchar(2000),
  reason varchar(50),
  created_at timestamp with time zone default now() not null
);
create index on post_revisions (post_id, created_at);

create table tags (
  id serial primary key,
  name varchar(191) not null,
  slug slug not null unique,
  description text,
  "parentId" integer references tags (id) deferrable initially deferred,
  visibility post_visibility default 'public' not null,
  color char(7) check (color ~ '^#[0-9a-f]{6}$')
);

create table posts_tags (
  post_id bigint not null references posts (id) on delete cascade,
  tag_id integer not null references tags (id) on delete cascade,
  sort_order smallint default 0 not null,
  primary key (post_id, tag_id)
);
create index posts_tags_tag on posts_tags (tag_id) include (post_id);

create table "Media" (
  "Id" integer generated by default as identity (start with 1000) primary key,
  "Path" text not null,
  "MimeType" varchar(100) not null,
  "Size" bigint not null check ("Size" >= 0),
  "Checksum" bytea,
  "Width" integer,
  "Height" integer,
  "UploadedBy" uuid references users (id) on delete set null
);
create index "IX_Media_Checksum" on "Media" using hash ("Checksum");

create table newsletters (
  id serial primary key,
  name varchar(191) not null unique,
  frequency "NewsletterFrequency",
  "sendDays" smallint[] default '{1,3,5}' not null,
  sender email
);

create table members (
  id uuid default gen_random_uuid() primary key,
  email email not null unique,
  name varchar(191),
  note varchar(2000),
  labels text[] default array[]::text[] not null,
  "createdAt" timestamp with time zone default now() not null
);
create index members_labels on members using gin (labels);

create table comments (
  id bigserial primary key,
  post_id bigint not null references posts (id) on delete cascade,
  member_id uuid references members (id) on delete set null,
  parent_id bigint references comments (id) on delete cascade,
  html text not null,
  status varchar(50) default 'published' not null,
  created_at timestamptz default now() not null
);
create index comments_post_id on comments (post_id) where status = 'published';
create index comments_parent on comments (parent_id) where parent_id is not null;

create table settings (
  "group" varchar(50) default 'core' not null,
  key varchar(50) not null,
  value text,
  type varchar(50) default 'string' not null,
  flags varchar(50),
  primary key ("group", key)
);

create table redirects (
  id serial primary key,
  "from" text not null,
  "to" text not null,
  permanent boolean default true not null,
  constraint redirects_differ check ("from" is distinct from "to")
);
create unique index redirects_from on redirects (lower("from"));

create trigger users_touch before update on users for each row
  when (old.* is distinct from new.*) execute function touch_updated_at();
create trigger posts_touch before update on posts for each row
  when (old.title is distinct from new.title or old.html is distinct from new.html) execute function touch_updated_at();

create or replace function keep_revision() returns trigger
language plpgsql
as $$
declare
  reason text := 'edit';
begin
  if old.status is distinct from new.status then
    reason := format('%s to %s', old.status, new.status);
  end if;
  insert into public.post_revisions (post_id, author_id, lexical, title, reason)
  values (old.id, old."authorId", old.lexical, old.title, reason);
  return null;
end
$$;
create trigger posts_revision after update of title, lexical, status on posts
  for each row execute procedure keep_revision();

create view published_posts as
  select p.id, p.title, p.slug, p."publishedAt", u.name as author, p."wordCount"
    from posts p
    join users u on u.id = p."authorId"
   where p.status = 'published' and p.visibility in ('public', 'members');

create view tag_counts as
  select t.*, count(pt.post_id) as posts, count(pt.post_id) filter (where p.status = 'published') as published
    from tags t
    left join posts_tags pt on pt.tag_id = t.id
    left join posts p on p.id = pt.post_id
   group by t.id;

create or replace function related_posts(for_post bigint, max integer default 5)
returns table (id bigint, title varchar, score bigint)
language sql stable
begin atomic
  select p.id, p.title, count(*)
    from posts_tags mine
    join posts_tags theirs on theirs.tag_id = mine.tag_id and theirs.post_id <> mine.post_id
    join published_posts p on p.id = theirs.post_id
   where mine.post_id = for_post
   group by 1, 2
   order by 3 desc
   limit max;
end;

comment on table posts is 'Posts and pages';
comment on column posts.lexical is 'The document of the editor; "html" is rendered from it';
comment on constraint "posts_published_has_date" on posts is 'Feeds sort by it';
comment on function slugify(text) is 'As the admin''s own slugs';

grant usage on schema public to cms_reader;
grant select on published_posts, tag_counts, tags, posts_tags to cms_reader;
grant select, insert, update, delete on all tables in schema public to cms_editor;
grant usage, select on all sequences in schema public to cms_editor;
revoke delete on settings from cms_editor;
grant execute on function related_posts(bigint, integer) to cms_reader;
