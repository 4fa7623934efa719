create schema app;
create function app.f(n int) returns int language plpgsql stable set search_path = '' as $$ begin return n + 2; end $$;
revoke execute on function app.f(int) from public;
