-- Who may do what, and which features an organization has.

create function platform.is_organization_owner(p_user_id uuid, p_organization_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1
    from platform.organization_members as m
    where m.user_id = p_user_id and m.organization_id = p_organization_id and m.role = 'owner'
  );
end;
$$;

comment on function platform.is_organization_owner(uuid, uuid) is 'Whether the user is an owner of the organization';

revoke all on function platform.is_organization_owner(uuid, uuid) from public;

create function platform.has_project_access(p_user_id uuid, p_project_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select 1
    from platform.project_members as m
    where m.user_id = p_user_id and m.project_id = p_project_id
  ) or exists (
    select 1
    from platform.projects as p
    join platform.organization_members as m on m.organization_id = p.organization_id
    where p.id = p_project_id and m.user_id = p_user_id and m.role in ('owner', 'admin')
  );
end;
$$;

comment on function platform.has_project_access(uuid, uuid) is
  'Whether the user is a member of the project, or an owner or admin of its organization';

revoke all on function platform.has_project_access(uuid, uuid) from public;

create function platform.get_active_feature_flags(p_organization_id uuid)
returns table (flag_key text, flag_name text, enabled boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select f.flag_key, f.flag_name, coalesce(o.enabled, f.enabled)
  from platform.feature_flags as f
  left join platform.organization_feature_flags as o
    on o.flag_id = f.id and o.organization_id = p_organization_id
  order by f.flag_key;
end;
$$;

comment on function platform.get_active_feature_flags(uuid) is
  'Every feature flag with its value for the organization: the override if there is one, else the global value';

revoke all on function platform.get_active_feature_flags(uuid) from public;
