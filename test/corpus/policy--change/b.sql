create schema app;
create table app.t (id int primary key, owner text);
alter table app.t enable row level security;
alter table app.t force row level security;
create policy p on app.t for select using (owner = current_user);
create policy q on app.t as restrictive for update using (id > 0) with check (id > 1);
