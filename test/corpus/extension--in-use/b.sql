create schema app;
create table app.items (id int primary key, code uuid, name text);
create view app.fresh as select gen_random_uuid() as id;
