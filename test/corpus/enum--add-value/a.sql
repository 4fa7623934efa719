create schema app;
create type app.mood as enum ('sad', 'happy');
create table app.t (id int primary key, m app.mood);
