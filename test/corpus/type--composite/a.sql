create schema app;
create type app.pair as (a int, b text);
