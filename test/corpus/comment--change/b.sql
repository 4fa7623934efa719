create schema app;
create table app.t (id int primary key);
comment on table app.t is 'it''s two';
comment on column app.t.id is E'a\nb';
