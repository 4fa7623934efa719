create table public.t (id int primary key, code int, size int);
create sequence public.taken;
create type public.also_taken as (x int);
