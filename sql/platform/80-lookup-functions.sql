-- Slugs, and look-ups of one row by its public identifier.
-- The two that return a secret run with the caller's rights: they give nobody more than the table does.

-- Null where nothing usable is left, so that the slug checks never see a value they would refuse.
create function platform.generate_slug(input_text text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  slug text;
begin
  slug := regexp_replace(btrim(input_text), '[^a-zA-Z0-9\s-]', '', 'g');
  slug := btrim(lower(regexp_replace(slug, '\s+', '-', 'g')), '-');
  return case when length(slug) >= 2 then slug end;
end;
$$;

revoke all on function platform.generate_slug(text) from public;

create function platform.get_organization_by_slug(org_slug text)
returns platform.organizations
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select o from platform.organizations as o where o.slug = org_slug;
$$;

revoke all on function platform.get_organization_by_slug(text) from public;

create function platform.get_project_by_ref(project_ref text)
returns platform.projects
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select p from platform.projects as p where p.ref = project_ref;
$$;

revoke all on function platform.get_project_by_ref(text) from public;

create function platform.get_credentials_by_project_ref(project_ref text)
returns platform.credentials
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select c
  from platform.credentials as c
  join platform.projects as p on p.id = c.project_id
  where p.ref = project_ref;
$$;

revoke all on function platform.get_credentials_by_project_ref(text) from public;
