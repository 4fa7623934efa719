create schema app;
create function app.f(n int) returns int language sql as 'select n';
