create schema app;
create extension "uuid-ossp" with schema app;
create table app.items (id int primary key, code uuid default app.uuid_generate_v4(), name text);
create view app.fresh as select app.uuid_generate_v4() as id;
