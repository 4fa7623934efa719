create schema app;
create table app.a (id int primary key);
