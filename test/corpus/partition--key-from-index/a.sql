create table public.t (id int not null, place text not null) partition by list (place);
create table public.t_north partition of public.t for values in ('north');
create unique index t_pkey on public.t (place, id);
alter table public.t_north add constraint t_north_pkey primary key using index t_north_place_id_idx;
