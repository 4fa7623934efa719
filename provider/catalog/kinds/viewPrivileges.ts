/**
 * Privileges on single columns of views, materialized views and partitions, as facts like those on the
 * columns that a table itself declares.
 */
import { z } from "zod";
import { encodeId, type Fact, type StableId } from "../pgDelta.ts";
import { FIRST_OWN_OID } from "./kind.ts";

/** One row a column and role, whose text is the JSON of {@link granted}. */
export const VIEW_PRIVILEGES = `
  select 'privilege' as kind, n.nspname as schema, c.relname as table, a.attname as name, pg_catalog.json_build_object(
      'kind', case c.relkind when 'v' then 'view' when 'm' then 'materializedView' else 'table' end, 'schema', n.nspname, 'view', c.relname, 'column', a.attname,
      'grantee', case when e.grantee = 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(e.grantee)::pg_catalog.text end,
      'privileges', pg_catalog.array_agg(distinct e.privilege_type order by e.privilege_type),
      'grantable', coalesce(pg_catalog.array_agg(distinct e.privilege_type order by e.privilege_type) filter (where e.is_grantable), '{}'))::pg_catalog.text as text
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   cross join lateral pg_catalog.aclexplode(a.attacl) e
   where a.attrelid >= ${FIRST_OWN_OID} and (c.relkind in ('v', 'm') or c.relkind in ('r', 'p') and not a.attislocal) and a.attacl is not null and not a.attisdropped
   group by n.nspname, c.relname, c.relkind, a.attname, e.grantee`;

const granted = z.object({
  kind: z.enum(["view", "materializedView", "table"]),
  schema: z.string(),
  view: z.string(),
  column: z.string(),
  grantee: z.string(),
  privileges: z.array(z.string()),
  grantable: z.array(z.string()),
});

/**
 * @param texts of {@link VIEW_PRIVILEGES}.
 * @param known facts of the library's.
 */
export function viewPrivilegesFrom(texts: readonly string[], known: readonly Fact[]): Fact[] {
  if (texts.length === 0) return [];
  const present = new Set(known.map(({ id }) => encodeId(id)));
  return texts.flatMap((text): Fact[] => {
    const { kind, schema, view, column, grantee, privileges, grantable } = granted.parse(JSON.parse(text));
    const target: StableId = { kind, schema, name: view };
    if (!present.has(encodeId(target))) return [];
    return [{ id: { kind: "acl", target, grantee, column }, parent: target, payload: { privileges, grantable } }];
  });
}
