create schema app;
create table app.items (id int primary key, up int references app.items);
create table app.sales (id int primary key, item int not null default 1 references app.items on delete cascade);
create table app.notes (id int primary key, item int references app.items);
