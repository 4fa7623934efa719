create schema app;
create table app.t (id int primary key, a text, b int);
create index t_a on app.t (lower(a));
create index t_b on app.t (b desc) where b is not null;
