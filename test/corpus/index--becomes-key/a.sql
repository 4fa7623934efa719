create schema app;
create table app.items (id uuid, rank int not null, a int, b int, c int, d int not null, e int);
create unique index items_rank on app.items (id, rank);
create unique index items_a on app.items (a desc);
create unique index items_b on app.items (b) include (c);
create unique index items_d on app.items (d);
create index items_e on app.items (e);
create table app.sales (id int primary key, d int references app.items (d));
