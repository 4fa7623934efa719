create schema app;
create table app.t (id int, at date not null, primary key (id, at)) partition by range (at);
create table app.t_2026 partition of app.t for values from ('2026-01-01') to ('2027-01-01');
