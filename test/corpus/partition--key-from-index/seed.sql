insert into public.t values (1, 'north'), (2, 'north');
