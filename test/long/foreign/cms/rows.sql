insert into public.users (name, slug, email, bio)
  select 'User ' || n, 'user-' || n, 'User' || n || '@example.org', case when n % 2 = 0 then 'Writes' end from generate_series(1, 20) n;
insert into public.roles (name) values ('Administrator'), ('Editor'), ('Author');
insert into public.roles_users select 1 + n % 3, id from (select id, row_number() over (order by slug)::int as n from public.users) u;
insert into public.permissions ("objectType", "actionType") select o, a from unnest(array['post', 'tag']) o, unnest(array['read', 'edit', 'destroy']) a;
insert into public.permissions_roles select p.id, r.id from public.permissions p, public.roles r where (p.id + r.id) % 2 = 0;
insert into public.posts (title, slug, lexical, html, plaintext, featured, status, visibility, "authorId", "publishedAt")
  select 'Post ' || n, 'post-' || n, jsonb_build_object('n', n), '<p>' || n || '</p>', repeat('word ', n), n % 10 = 0,
         (array['draft', 'published', 'published'])[1 + n % 3]::public.post_status,
         (array['public', 'members', 'paid'])[1 + n % 3]::public.post_visibility,
         (select id from public.users where slug = 'user-' || (1 + n % 20)), timestamptz '2026-01-01 00:00Z' + n * interval '1 hour'
    from generate_series(1, 120) n;
insert into public.posts_meta (post_id, og_title) select id, title from public.posts where id % 3 = 0;
update public.posts set title = title || '!' where id % 7 = 0;
insert into public.tags (name, slug, "parentId", color) select 'Tag ' || n, 'tag-' || n, nullif(n / 2, 0), '#00ff0' || n % 10 from generate_series(1, 15) n;
insert into public.posts_tags select p.id, t.id, t.id from public.posts p join public.tags t on p.id % t.id = 0;
insert into public."Media" ("Path", "MimeType", "Size", "Checksum") select '/m/' || n, 'image/png', n * 1000, decode(md5(n::text), 'hex') from generate_series(1, 40) n;
insert into public.newsletters (name, frequency, sender) values ('News', 'weekly', 'news@example.org'), ('Alerts', 'daily', null);
insert into public.members (email, name, labels) select 'm' || n || '@example.org', 'M ' || n, array['l' || n % 4] from generate_series(1, 60) n;
insert into public.comments (post_id, member_id, parent_id, html)
  select 1 + n % 120, (select id from public.members where email = 'm' || (1 + n % 60) || '@example.org'), case when n % 5 = 0 then n - 1 end, 'c' || n
    from generate_series(1, 150) n;
insert into public.settings ("group", key, value) select 'core', 'k' || n, n from generate_series(1, 12) n;
insert into public.redirects ("from", "to") select '/a/' || n, '/b/' || n from generate_series(1, 12) n;
