insert into app.a values (1);
insert into app.b values (1, 1);
