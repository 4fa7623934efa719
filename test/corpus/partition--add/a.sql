create schema app;
create table app.t (id int, at date not null, primary key (id, at)) partition by range (at);
