create table public.child (id int primary key, parent int);
