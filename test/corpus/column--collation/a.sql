create schema app;
create table app.items (id int primary key, name text default 'a', code varchar(9), n int default 1);
create index on app.items (name);
create view app.names as select name from app.items;
create policy own on app.items using (name <> 'x');
