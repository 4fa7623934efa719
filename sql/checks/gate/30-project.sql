-- kind: plan
-- Registrations hang on a project, which an update finds by its slugs or creates. Its public reference is unique, so another project must not have it.
with named as (
  select current_setting('pgstrata.organization', true)::jsonb ->> 'slug' as organization,
         current_setting('pgstrata.project', true)::jsonb ->> 'slug' as slug,
         current_setting('pgstrata.project', true)::jsonb ->> 'ref' as ref
), found as (
  -- The tables may not be there yet, so the query is a text.
  select named.*, case when to_regclass('platform.projects') is null or to_regclass('platform.organizations') is null then null
                       else query_to_xml(format('select p.slug = %L and o.slug = %L as is_it, p.ref = %L as has_ref
                                                   from platform.projects p join platform.organizations o on o.id = p.organization_id
                                                  where p.slug = %L and o.slug = %L or p.ref = %L',
                                                slug, organization, ref, slug, organization, ref), false, false, '') end as rows
    from named
), told as (
  select *, coalesce('true' = any (xpath('/table/row/is_it/text()', rows)::text[]), false) as is_there,
            coalesce(xpath_exists('/table/row[is_it = "false" and has_ref = "true"]', rows), false) as is_taken
    from found
)
select 'project' as name,
       case when slug is null then 'INCONCLUSIVE' when is_taken and not is_there then 'NO-GO' else 'PASS' end as status,
       case when slug is null then 'the settings name no project'
            when is_there then format('project %s of organization %s is there', slug, organization)
            when is_taken then format('another project has the reference %s', ref)
            else format('this update creates project %s of organization %s', slug, organization) end as measured,
       'the project that registrations belong to, or a free reference for it' as expected,
       'Choose the project that is there, or another reference: pulumi config set --path project.ref <reference>' as mend
from told
