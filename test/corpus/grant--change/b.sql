create schema app;
create table app.t (id int primary key, a text, b text);
grant select (id, a) on app.t to public;
grant usage on schema app to public;
