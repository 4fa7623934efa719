create schema app;
create type app.old_state as enum ('on', 'off');
create type app.new_state as enum ('off', 'on', 'idle');
create domain app.old as app.old_state;
create domain app.new as app.new_state;
create table app.lamps (id int primary key, state app.old_state default 'on', past app.old_state[], told app.old, check (state <> 'off'));
create index lamps_on on app.lamps (id) where state = 'on';
create function app.lit() returns bigint language sql begin atomic select count(*) from app.lamps where state = 'on'; end;
