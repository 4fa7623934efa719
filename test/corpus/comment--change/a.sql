create schema app;
create table app.t (id int primary key);
comment on table app.t is 'one';
