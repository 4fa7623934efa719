create table public.t (id int not null, code int, name text) partition by range (id);
create table public.t_first partition of public.t for values from (0) to (100);
