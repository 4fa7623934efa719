create schema app;
create function app.f(n int) returns int language sql immutable as 'select n + 1';
