create table public.t (id int not null, place text not null, constraint t_pkey primary key (place, id)) partition by list (place);
create table public.t_north partition of public.t for values in ('north');
