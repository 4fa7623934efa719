create table public.t (id int not null, code int, name text not null, constraint t_key unique (id, code)) partition by range (id);
create table public.t_first partition of public.t for values from (0) to (100);
create index names on public.t (name);
