create table public.kept (id int primary key);
