create schema app;
create function app.old(x text) returns text language sql immutable as $$ select lower(x) $$;
create table app.items (id int primary key, a text, low text generated always as (lower(a)) stored, other text generated always as (app.old(a)) stored, plain text generated always as (a || a) stored);
create index items_low on app.items (low);
create view app.lows as select low, other from app.items;
