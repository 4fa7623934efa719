create schema app;
create type app.pair as (a int, b text, c date);
create function app.first(p app.pair) returns int language sql as 'select p.a';
