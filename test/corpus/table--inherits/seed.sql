insert into public.base values (1, 1);
insert into public.one values (2, 2, 2);
insert into public.two values (3, 3, 3);
insert into public.three values (4, 4, 4);
