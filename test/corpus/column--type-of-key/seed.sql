insert into app.items values (1, null), (2, 1);
insert into app.sales values (1, 2);
