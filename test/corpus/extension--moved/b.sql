create schema app;
create schema other;
create extension "uuid-ossp" with schema other;
create table app.items (id uuid primary key default other.uuid_generate_v4(), n int);
create view app.fresh as select other.uuid_generate_v4() as id;
create function app.made() returns uuid language sql begin atomic select other.uuid_generate_v4(); end;
