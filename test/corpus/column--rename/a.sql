create schema shop;
create table shop.item (
  id int primary key,
  name text not null unique check (name <> ''), -- renamed from: title
  price int
);
create index on shop.item (name, price);
create view shop.cheap as select id, name as label from shop.item where price < 10;
