create table public.t (id int not null, at date not null, kind text default 'k', constraint t_pkey primary key (id, at), constraint t_kinds check (kind <> 'x')) partition by range (at);
create index t_kind on public.t (kind);
create table public.t_2024 (id int not null, at date not null, kind text);
create table public.t_2025 partition of public.t for values from ('2025-01-01') to ('2026-01-01');
