insert into public.t values (1, '2024-05-05', 'a');
insert into public.t_2025 values (2, '2025-05-05', 'b');
