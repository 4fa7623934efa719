create schema app;
create table app.t (id int primary key, a text, "b ""c" text);
grant delete on app.t to pg_monitor;
grant update (a), insert ("b ""c"), references (id) on app.t to pg_monitor;
grant update (a) on app.t to pg_signal_backend with grant option;
grant insert on app.t to public;
grant select (id) on app.t to public;
