create schema app;
create table app.t (id int primary key, n int, constraint t_n check (n > 0));
