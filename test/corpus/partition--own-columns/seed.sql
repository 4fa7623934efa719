insert into public.t (id, at, kind) values (1, '2025-02-02', 'a'), (2, '2026-02-02', 'b');
