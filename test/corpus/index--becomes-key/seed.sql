insert into app.items select gen_random_uuid(), g, g, g, g, g, g from generate_series(1, 50) g;
insert into app.sales values (1, 1);
