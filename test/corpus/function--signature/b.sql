create schema app;
create function app.f(n bigint, m bigint default 2) returns bigint language sql as 'select n * m';
