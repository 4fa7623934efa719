create schema app;
create table app.t (id int primary key, n int, constraint t_n check (n >= 0), constraint t_n_max check (n < 100));
