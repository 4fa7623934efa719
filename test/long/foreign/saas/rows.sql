insert into app.profiles (id, username) select md5('u' || n)::uuid, 'user' || n from generate_series(1, 50) n;
insert into app.organizations (id, name, slug, plan, created_by)
  select md5('o' || n)::uuid, 'Org ' || n, 'org-' || n, (array['free', 'team', 'enterprise'])[1 + n % 3]::app.plan, md5('u' || n)::uuid from generate_series(1, 10) n;
insert into app.memberships (org_id, user_id, invited_by, role)
  select md5('o' || (1 + n % 10))::uuid, md5('u' || n)::uuid, md5('u1')::uuid, (case when n <= 10 then 'owner' when n % 2 = 0 then 'member' else 'guest' end)::app.member_role from generate_series(1, 50) n;
insert into app.projects (org_id, name, archived_at) select md5('o' || (1 + n % 10))::uuid, 'P' || n, case when n % 7 = 0 then timestamptz '2026-01-01 00:00Z' end from generate_series(1, 30) n;
insert into app.tasks (org_id, project_id, title, done, assignee)
  select p.org_id, p.id, 'T' || n, n % 3 = 0, md5('u' || (1 + n % 50))::uuid from generate_series(1, 5) n, app.projects p;
insert into app.api_keys (org_id, prefix, key_hash) select md5('o' || n)::uuid, lpad(n::text, 8, '0'), sha256(n::text::bytea) from generate_series(1, 10) n;
insert into app.invoices (org_id, number, state, amount_cents, period)
  select md5('o' || (1 + n % 10))::uuid, 'I' || n, (array['draft', 'open', 'paid'])[1 + n % 3]::app.invoice_state, n * 100, daterange('2026-01-01', '2026-02-01') from generate_series(1, 40) n;
