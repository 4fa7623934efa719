create schema app;
create table app.t (id bigint generated always as identity, a text);
create table app.plain (id int not null);
grant select on sequence app.t_id_seq to pg_monitor;
comment on sequence app.t_id_seq is 'numbers';
