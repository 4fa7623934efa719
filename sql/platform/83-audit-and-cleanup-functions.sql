-- Writing the audit trail, and removing old audit rows and metrics.
-- All run with the owner's rights, hence the pinned search_path and no EXECUTE for PUBLIC.

-- Turns an entity and an action into an audit row:
--   event_type       entity.action, or the action alone where it has that form already
--   resource_id      the entity's id if it is a uuid; any other id is kept in metadata.entity_id
--   metadata.changes the changes
--   organization_id, project_id   looked up from the entity; null once the entity is gone
create function platform.log_audit_event(
  p_user_id uuid,
  p_entity_type text,
  p_entity_id text,
  p_action text,
  p_changes jsonb default null,
  p_ip_address inet default null,
  p_user_agent text default null
)
returns uuid
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_event_type text := lower(btrim(p_action));
  v_resource_id uuid;
  v_organization_id uuid;
  v_project_id uuid;
  v_metadata jsonb := '{}'::jsonb;
  v_id uuid;
begin
  if v_event_type !~ '^[a-z_]+\.[a-z_]+$' then
    v_event_type := regexp_replace(lower(btrim(p_entity_type)), '[^a-z_]+', '_', 'g')
      || '.' || regexp_replace(v_event_type, '[^a-z_]+', '_', 'g');
  end if;

  if p_entity_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    v_resource_id := p_entity_id::uuid;
  elsif p_entity_id is not null then
    v_metadata := jsonb_build_object('entity_id', p_entity_id);
  end if;

  if p_changes is not null then
    v_metadata := v_metadata || jsonb_build_object('changes', p_changes);
  end if;

  case p_entity_type
    when 'project' then
      v_project_id := v_resource_id;
    when 'addon' then
      v_project_id := coalesce(
        (select a.project_id from platform.project_addons as a where a.id = v_resource_id),
        (select a.project_id from platform.addons as a where a.id = v_resource_id)
      );
    when 'organization' then
      v_organization_id := (select o.id from platform.organizations as o where o.id = v_resource_id);
    when 'billing' then
      v_organization_id := coalesce(
        (select s.organization_id from platform.subscriptions as s where s.id = v_resource_id),
        (select i.organization_id from platform.invoices as i where i.id = v_resource_id),
        (select o.id from platform.organizations as o where o.id = v_resource_id)
      );
    else
      -- A user can belong to several organizations, so an event about one names none.
      null;
  end case;

  if v_project_id is not null then
    select p.id, p.organization_id
    into v_project_id, v_organization_id
    from platform.projects as p
    where p.id = v_project_id;
  end if;

  insert into platform.audit_logs (
    organization_id, project_id, user_id, event_type, resource_type, resource_id, action,
    ip_address, user_agent, metadata
  )
  values (
    v_organization_id, v_project_id, p_user_id, v_event_type, p_entity_type, v_resource_id, p_action,
    p_ip_address, p_user_agent, v_metadata
  )
  returning id into v_id;

  return v_id;
end;
$$;

revoke all on function platform.log_audit_event(uuid, text, text, text, jsonb, inet, text) from public;

create function platform.clean_old_audit_logs(days_to_keep integer default 90)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  deleted_rows integer;
begin
  if days_to_keep is null or days_to_keep < 0 then
    raise exception 'days_to_keep is %, expected zero or more', coalesce(days_to_keep::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  delete from platform.audit_logs where created_at < now() - make_interval(days => days_to_keep);
  get diagnostics deleted_rows = row_count;
  return deleted_rows;
end;
$$;

revoke all on function platform.clean_old_audit_logs(integer) from public;

create function platform.clean_old_metrics(days_to_keep integer default 30)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  deleted_rows integer;
begin
  if days_to_keep is null or days_to_keep < 0 then
    raise exception 'days_to_keep is %, expected zero or more', coalesce(days_to_keep::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  delete from platform.project_metrics where "timestamp" < now() - make_interval(days => days_to_keep);
  get diagnostics deleted_rows = row_count;
  return deleted_rows;
end;
$$;

revoke all on function platform.clean_old_metrics(integer) from public;
