create function public.folded(text) returns text language sql immutable as 'select lower($1)';
create table public.t (id int primary key, name text);
create index folded_names on public.t (public.folded(name));
