insert into app.items values (1, 2);
