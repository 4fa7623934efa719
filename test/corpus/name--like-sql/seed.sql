insert into public."x NOT NULL" values (1, 1), (2, 2);
