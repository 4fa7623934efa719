insert into app.requests values (1, 'approved', default, '{none,pending}');
