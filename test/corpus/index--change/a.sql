create schema app;
create table app.t (id int primary key, a text, b int);
create index t_x on app.t (a);
