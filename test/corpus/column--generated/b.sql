create schema app;
create table app.t (id int primary key, a int, twice int generated always as (a * 2) stored);
