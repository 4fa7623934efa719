create schema app;
create table app.items (id int, note text);
alter table app.items add constraint items_pkey primary key (id);
