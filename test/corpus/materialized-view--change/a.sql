create schema app;
create table app.t (id int primary key, a text);
create materialized view app.m as select id from app.t;
