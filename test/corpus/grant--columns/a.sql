create schema app;
create table app.t (id int primary key, a text, "b ""c" text);
grant select on app.t to pg_monitor;
grant update (a), insert ("b ""c") on app.t to pg_monitor;
grant update (a) on app.t to pg_signal_backend with grant option;
grant select, insert on app.t to pg_signal_backend;
grant select (id) on app.t to public;
