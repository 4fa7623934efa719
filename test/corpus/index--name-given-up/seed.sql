insert into public.t values (1, 10, 1);
