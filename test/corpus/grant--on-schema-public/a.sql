create schema app;
grant create on schema public to pg_monitor;
