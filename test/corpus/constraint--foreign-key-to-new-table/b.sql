create table public.parent (id int primary key);
create table public.child (id int primary key, parent int references public.parent);
