create schema app;
create table app.a (id int primary key);
create table app.b (id int primary key, a_id int references app.a (id));
