create schema app;
create table app.items (id int, note text);
create unique index items_pkey on app.items (id);
