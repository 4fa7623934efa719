create table public.kept (id int primary key, constraint kept_twin unique (id) deferrable);
create table public.made (id int);
alter table public.made add constraint made_key primary key (id);
alter table public.made add constraint made_twin unique (id);
