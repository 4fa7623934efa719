create schema app;
create table app.t (id int primary key, at timestamptz);
create function app.touch() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
create trigger touch before insert or update on app.t for each row execute function app.touch();
create trigger touch_2 before delete on app.t for each row execute function app.touch();
