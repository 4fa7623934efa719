create schema app;
create table app.t (id int primary key, n bigint, s varchar(40));
