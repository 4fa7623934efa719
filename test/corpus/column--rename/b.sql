create schema shop;
create table shop.item (
  id int primary key,
  -- renamed from: name
  title text not null unique check (title <> ''),
  price bigint
);
create index on shop.item (title, price);
create view shop.cheap as select id, title as label from shop.item where price < 10;
