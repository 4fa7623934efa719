create domain public.short as text not null check (length(value) < 10);
create domain public.number as int not null;
create table public.t (id int primary key, name public.short);
