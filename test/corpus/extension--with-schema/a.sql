create schema app;
create schema tools;
create extension amcheck with schema tools;
grant usage on schema tools to public;
create table app.items (id int primary key);
