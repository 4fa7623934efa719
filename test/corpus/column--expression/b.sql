create schema app;
create function app.new(x text) returns text language sql immutable as $$ select lower(x) $$;
create table app.items (id int primary key, a text, low text generated always as (lower(btrim(a))) stored, other text generated always as (app.new(a)) stored, plain text);
create index items_low on app.items (low);
create view app.lows as select low, other from app.items;
