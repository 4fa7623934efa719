insert into app.items (n) values (1);
