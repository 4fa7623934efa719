create schema app;
create schema elsewhere;
create table app.items (id int primary key, n int);
create view app.totals as select n from app.items;
create materialized view app.counts as select n, count(*) as items from app.items group by n;
create function app.total() returns int language sql as 'select 1';
alter default privileges in schema app grant select on tables to public;
alter default privileges revoke execute on functions from public;
alter default privileges in schema elsewhere grant select on tables to public;
