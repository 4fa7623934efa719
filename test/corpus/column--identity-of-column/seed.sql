insert into app.items (id, n, m, back) values (1, 1, 1, -5), (2, 2, 2, -9);
