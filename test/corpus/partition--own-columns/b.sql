create table public.t (id int not null, at date not null, kind text default 'each') partition by range (at);
create table public.t_2025 partition of public.t (kind default 'old', constraint kinds check (kind <> 'x')) for values from ('2025-01-01') to ('2026-01-01');
create table public.t_2026 partition of public.t (kind default 'new') for values from ('2026-01-01') to ('2027-01-01');
create table public.t_2027 partition of public.t (kind not null default 'newest') for values from ('2027-01-01') to ('2028-01-01');
