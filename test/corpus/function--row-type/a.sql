create schema app;
create table app.jobs (id int primary key, done boolean not null default false);
create function app.finish(job int) returns app.jobs language sql as $$
  update app.jobs set done = true where id = job returning *
$$;
