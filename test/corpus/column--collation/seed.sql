insert into app.items values (1, 'one', 'c');
