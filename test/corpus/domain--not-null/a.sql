create domain public.short as text check (length(value) < 10);
create table public.t (id int primary key, name public.short);
