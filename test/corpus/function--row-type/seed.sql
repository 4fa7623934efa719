insert into app.jobs values (1), (2);
