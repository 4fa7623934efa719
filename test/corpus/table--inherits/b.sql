create table public.base (id int not null, v int default 1, constraint base_v check (v > 0), y text);
create table public.more (w int);
create table public.one (x int, v int not null default 7) inherits (public.base);
create table public.two () inherits (public.more, public.base);
create table public.three (id int not null, v int, w int);
create table public.four (z int) inherits (public.one);
