create table public.t (id int not null, at date not null, kind text default 'all') partition by range (at);
create table public.t_2025 partition of public.t (kind default 'old') for values from ('2025-01-01') to ('2026-01-01');
create table public.t_2026 partition of public.t (kind not null) for values from ('2026-01-01') to ('2027-01-01');
