insert into app.t values (1, 'X');
