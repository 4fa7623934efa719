create schema app;
create domain app.positive as int check (value > 0);
create table app.t (id int primary key, n app.positive);
