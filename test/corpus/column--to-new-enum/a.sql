create schema app;
create table app.requests (id int primary key, action text, status varchar(20) default 'pending', tags text[], check (status <> 'none'));
create index requests_open on app.requests (action) where status = 'pending';
create view app.open as select action from app.requests where status = 'pending';
