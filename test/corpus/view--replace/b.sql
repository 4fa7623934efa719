create schema app;
create table app.t (id int primary key, a text);
create view app.v with (security_invoker = true) as select id, upper(a) as a from app.t;
create view app.w as select a from app.v;
