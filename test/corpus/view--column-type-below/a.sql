create schema app;
create table app.t (id int primary key, n int);
create view app.v as select n from app.t;
