create table public.t (id int primary key, code int constraint also_taken unique, size int);
create index taken on public.t (size);
