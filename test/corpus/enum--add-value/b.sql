create schema app;
create type app.mood as enum ('sad', 'so so', 'happy');
create table app.t (id int primary key, m app.mood);
