-- Health checks of registered services that do not flap: a status changes only after several equal results.

create table platform_private.database_health_results (
  database_id uuid not null,
  result text not null,
  times integer not null default 1,
  since timestamptz not null default now(),
  constraint database_health_results_pkey primary key (database_id),
  constraint database_health_results_database_id_fkey
    foreign key (database_id) references platform.databases (id) on update cascade on delete cascade,
  constraint database_health_results_result_check check (result in ('healthy', 'unhealthy'))
);

comment on table platform_private.database_health_results is
  'Last result of the health checks of a registration, and how many times in a row it was that';

-- Records a result, and gives the status that then holds; null if the registration is unknown. The status
-- becomes the result after p_after equal ones in a row; one that is unknown becomes it at once.
--
-- Runs with the owner's rights, because it counts in the owner's schema.
create function platform.record_database_health(
  p_database_id uuid,
  p_result text,
  p_error_message text default null,
  p_after integer default 2
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_status text;
  v_error text;
  v_times integer;
begin
  select coalesce(d.health_check_status, 'unknown'), d.health_check_error into v_status, v_error
  from platform.databases as d
  where d.id = p_database_id
  for no key update;

  if not found then
    return null;
  end if;

  insert into platform_private.database_health_results as r (database_id, result)
  values (p_database_id, p_result)
  on conflict (database_id) do update
  set
    times = case when r.result = excluded.result then r.times + 1 else 1 end,
    since = case when r.result = excluded.result then r.since else now() end,
    result = excluded.result
  returning r.times into v_times;

  if v_status = 'unknown' or v_times >= p_after then
    v_status := p_result;
  end if;

  if p_result = 'unhealthy' then
    v_error := p_error_message;
  end if;

  perform platform.update_database_health(p_database_id, v_status, case when v_status = 'unhealthy' then v_error end);
  return v_status;
end;
$$;

revoke all on function platform.record_database_health(uuid, text, text, integer) from public;
