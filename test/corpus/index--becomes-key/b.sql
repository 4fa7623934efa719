create schema app;
create table app.items (id uuid, rank int not null, a int, b int, c int, d int not null, e int);
alter table app.items add constraint items_rank unique (id, rank) deferrable initially deferred;
alter table app.items add constraint items_a unique (a);
alter table app.items add constraint items_b unique (b) include (c);
alter table app.items add constraint items_d primary key (d);
alter table app.items add constraint items_e unique (e);
create table app.sales (id int primary key, d int references app.items (d));
