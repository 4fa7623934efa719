-- A job queue in the database, as a worker library's migrations leave it: a private schema with functions as its
-- interface, advisory locks, LISTEN/NOTIFY, a table with composite return types, and dead letters.

create schema if not exists queue;

create domain queue.identifier as text check (length(value) between 1 and 128);
create type queue.job_spec as (identifier text, payload json, queue_name text, run_at timestamptz, max_attempts smallint, job_key text, priority smallint, flags text[]);

create table queue.tasks (
  id int primary key generated always as identity,
  identifier queue.identifier not null unique
);

create table queue.queues (
  id int primary key generated always as identity (cache 5),
  queue_name text not null unique check (length(queue_name) <= 128),
  locked_at timestamptz,
  locked_by text,
  is_available boolean generated always as (locked_at is null) stored not null
);

create table queue._private_jobs (
  id bigint primary key generated always as identity,
  job_queue_id int null references queue.queues,
  task_id int not null references queue.tasks,
  payload json not null default '{}',
  priority smallint not null default 0,
  run_at timestamptz not null default now(),
  attempts smallint not null default 0,
  max_attempts smallint not null default 25 constraint jobs_max_attempts_check check (max_attempts >= 1),
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  key text unique check (length(key) > 0 and length(key) <= 512),
  locked_at timestamptz,
  locked_by text,
  revision int not null default 0,
  flags jsonb default null,
  is_available boolean generated always as ((locked_at is null) and (attempts < max_attempts)) stored not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index jobs_main_index on queue._private_jobs (priority, run_at) where is_available;
create index jobs_no_queue_index on queue._private_jobs (priority, run_at) include (id, task_id, job_queue_id) where is_available and job_queue_id is null;

create table queue.known_crontabs (
  identifier text not null primary key,
  known_since timestamptz not null,
  last_execution timestamptz
);

create table queue.dead_letters (
  like queue._private_jobs including defaults including constraints,
  died_at timestamptz not null default now(),
  reason text not null,
  primary key (id)
);
create index on queue.dead_letters using brin (died_at) with (pages_per_range = 32);

create function queue.jobs__notify() returns trigger as $$
begin
  perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":1}');
  return new;
end;
$$ language plpgsql volatile;
create trigger _900_after_insert after insert on queue._private_jobs
  referencing new table as jobs for each statement execute function queue.jobs__notify();

create function queue.tg_update_timestamps() returns trigger as $$
begin
  new.created_at = (case when tg_op = 'INSERT' then now() else old.created_at end);
  new.updated_at = greatest(now(), old.updated_at + interval '1 millisecond');
  return new;
end;
$$ language plpgsql;
create trigger _100_timestamps before update on queue._private_jobs for each row execute function queue.tg_update_timestamps();

create view queue.jobs as (
  select j.id, q.queue_name, t.identifier as task_identifier, j.priority, j.run_at, j.attempts, j.max_attempts,
         j.last_error, j.created_at, j.updated_at, j.key, j.locked_at, j.locked_by, j.revision, j.flags
    from queue._private_jobs j
    inner join queue.tasks t on t.id = j.task_id
    left join queue.queues q on q.id = j.job_queue_id
);

create function queue.add_jobs(specs queue.job_spec[], job_key_preserve_run_at boolean default false)
returns setof queue._private_jobs as $$
begin
  insert into queue.tasks (identifier)
    select distinct spec.identifier from unnest(specs) spec
    on conflict do nothing;
  insert into queue.queues (queue_name)
    select distinct spec.queue_name from unnest(specs) spec where spec.queue_name is not null
    on conflict do nothing;
  return query
    insert into queue._private_jobs as jobs (job_queue_id, task_id, payload, run_at, max_attempts, key, priority, flags)
      select q.id, t.id, coalesce(spec.payload, '{}'::json), coalesce(spec.run_at, now()), coalesce(spec.max_attempts, 25::smallint),
             spec.job_key, coalesce(spec.priority, 0::smallint), (select jsonb_object_agg(flag, true) from unnest(spec.flags) flag)
        from unnest(specs) spec
        join queue.tasks t on t.identifier = spec.identifier
        left join queue.queues q on q.queue_name = spec.queue_name
      on conflict (key) do update set
        revision = jobs.revision + 1,
        payload = excluded.payload,
        run_at = (case when job_key_preserve_run_at and jobs.attempts = 0 then jobs.run_at else excluded.run_at end)
      where jobs.locked_at is null
      returning *;
end;
$$ language plpgsql;

create function queue.add_job(identifier text, payload json default null, queue_name text default null, run_at timestamptz default null,
  max_attempts int default null, job_key text default null, priority int default null, flags text[] default null, job_key_mode text default 'replace')
returns queue._private_jobs as $$
declare
  v_job queue._private_jobs;
begin
  if job_key is null or job_key_mode in ('replace', 'preserve_run_at') then
    select * into v_job
      from queue.add_jobs(
        array[(identifier, payload, queue_name, run_at, max_attempts::smallint, job_key, priority::smallint, flags)::queue.job_spec],
        job_key_mode = 'preserve_run_at')
      limit 1;
    return v_job;
  end if;
  raise exception 'Invalid job_key_mode: %', job_key_mode using errcode = 'QWBKM';
end;
$$ language plpgsql;

create function queue.get_job(worker_id text, task_identifiers text[] default null, job_expiry interval default interval '4 hours')
returns queue._private_jobs as $$
  with j as (
    select jobs.id
      from queue._private_jobs jobs
     where jobs.is_available and run_at <= now()
       and (task_identifiers is null or task_id = any (array(select t.id from queue.tasks t where t.identifier = any (task_identifiers))))
     order by priority asc, run_at asc
     limit 1
     for update skip locked
  )
  update queue._private_jobs jobs
     set attempts = jobs.attempts + 1, locked_by = worker_id, locked_at = now()
    from j
   where jobs.id = j.id
  returning jobs.*
$$ language sql volatile;

create function queue.fail_job(worker_id text, job_id bigint, error_message text) returns void as $$
declare
  job queue._private_jobs;
begin
  update queue._private_jobs
     set last_error = error_message, run_at = greatest(now(), run_at) + (exp(least(attempts, 10)) * interval '1 second'), locked_by = null, locked_at = null
   where id = job_id and locked_by = worker_id
  returning * into strict job;
  if job.attempts >= job.max_attempts then
    perform pg_notify('jobs:dead', job.id::text);
  end if;
exception when no_data_found then
  raise notice 'job % is not locked by %', job_id, worker_id;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

create function queue.complete_job(job_id bigint) returns queue._private_jobs as $$
  delete from queue._private_jobs where id = job_id returning *;
$$ language sql;

create rule jobs_are_read_only as on insert to queue.jobs do instead nothing;

alter table queue._private_jobs enable row level security;
alter table queue.queues enable row level security;
alter table queue.tasks enable row level security;
create policy worker_all on queue._private_jobs to queue_worker using (true) with check (true);
create policy worker_all on queue.queues to queue_worker using (true);
create policy worker_all on queue.tasks to queue_worker using (true);

grant usage on schema queue to queue_worker, queue_producer;
grant select, insert, update, delete on all tables in schema queue to queue_worker;
grant execute on function queue.add_job to queue_producer;
comment on table queue._private_jobs is E'@omit\nInternal: use the view "jobs" and the functions.';
comment on function queue.get_job is 'Locks the next job, or returns null';
