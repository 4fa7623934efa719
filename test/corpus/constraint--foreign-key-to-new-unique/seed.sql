insert into public.parent values (1, 10), (2, 20);
insert into public.child values (1, 10), (2, 10);
