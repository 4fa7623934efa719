insert into app.lamps values (1, 'on', '{on,off}', 'off');
