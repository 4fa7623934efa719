insert into app.items (id) values (1);
