insert into public.t (id, at, kind) values (1, '2024-05-05', 'a'), (2, '2025-05-05', 'b');
insert into public.n values (1, '2024-05-05');
