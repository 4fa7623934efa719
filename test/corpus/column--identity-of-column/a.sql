create schema app;
create table app.items (id serial primary key, n int default 77, m int, k int generated always as identity, back int not null);
