create schema app;
create table app.items (id text primary key, up text references app.items);
create table app.sales (id int primary key, item text not null default '1' references app.items on delete cascade);
create table app.notes (id int primary key, item text references app.items);
