create schema app;
create type app.state as enum ('none', 'pending', 'approved');
create table app.requests (id int primary key, action app.state, status app.state default 'pending', tags app.state[], check (status <> 'none'));
create index requests_open on app.requests (action) where status = 'pending';
create view app.open as select action from app.requests where status = 'pending';
