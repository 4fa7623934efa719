create schema app;
create schema tools;
create extension "uuid-ossp" with schema tools;
create table app.items (id uuid primary key default tools.uuid_generate_v4(), n int);
create view app.fresh as select tools.uuid_generate_v4() as id;
create function app.made() returns uuid language sql begin atomic select tools.uuid_generate_v4(); end;
