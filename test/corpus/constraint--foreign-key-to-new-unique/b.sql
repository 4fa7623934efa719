create table public.parent (id int primary key, code int, note text, constraint codes unique (code));
create table public.child (id int primary key, code int constraint parents references public.parent (code));
