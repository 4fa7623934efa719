insert into public.t values (1, 'north'), (2, 'south'), (3, 'west');
insert into public.n values (1, 'north'), (3, 'west');
