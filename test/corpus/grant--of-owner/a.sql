create schema app;
create table app.t (id int, a text);
create sequence app.s;
revoke update on app.t from current_user;
