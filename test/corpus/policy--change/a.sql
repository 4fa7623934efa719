create schema app;
create table app.t (id int primary key, owner text);
alter table app.t enable row level security;
create policy p on app.t using (true);
