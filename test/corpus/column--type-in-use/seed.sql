insert into app.items (id) select g from generate_series(1, 5) g;
