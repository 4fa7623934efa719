insert into app.items (id, a) select g, ' Word ' || g from generate_series(1, 10) g;
