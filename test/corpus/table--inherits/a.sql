create table public.base (id int not null, v int default 1, constraint base_v check (v > 0));
create table public.more (w int);
create table public.one (id int not null, v int, x int);
create table public.two (w int) inherits (public.base);
create table public.three () inherits (public.base, public.more);
