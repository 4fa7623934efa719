create table public.t (id int primary key, code int, constraint pgstrata_not_null_code check (code > 0));
