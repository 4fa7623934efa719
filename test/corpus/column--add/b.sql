create schema app;
create table app.t (id int primary key, note text not null default 'none', at timestamptz);
