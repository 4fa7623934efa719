create table public.t (id int not null, place text not null, primary key (id, place)) partition by list (place);
create table public.t_north partition of public.t default;
create table public.t_south partition of public.t for values in ('south');
create table public.t_rest partition of public.t for values in ('west');
create table public.t_east partition of public.t for values in ('east');
create table public.n (id int, place text, constraint n_t foreign key (id, place) references public.t (id, place));
