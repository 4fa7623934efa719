create table public.parent (id int primary key, code int);
create table public.child (id int primary key, code int);
