create schema app;
create extension pgcrypto;
create table app.t (id int primary key, h bytea default public.digest('x', 'sha256'));
