/**
 * Privileges and comments on the sequences of identity columns. Such a sequence is a part of its column and
 * no fact itself, so these hang on the column. When they can be given: `plan/identityPrivileges.ts`.
 */
import { z } from "zod";
import { encodeId, type Fact, type StableId } from "../pgDelta.ts";
import { FIRST_OWN_OID } from "./kind.ts";

/** `aclexplode` tells each grantor's grants apart. */
const distinct = (condition: string): string =>
  `coalesce(pg_catalog.array_agg(distinct e.privilege_type order by e.privilege_type) filter (where ${condition}), '{}')`;

/** Of the owner there is a row also where nothing is left of what comes with the sequence. */
const PRIVILEGES = `
  (select pg_catalog.json_agg(g) from (
     select case when e.grantee = 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(e.grantee)::pg_catalog.text end as grantee,
            ${distinct("e.privilege_type <> ''")} as privileges, ${distinct("e.is_grantable")} as grantable,
            case when e.grantee = s.relowner then (select pg_catalog.array_agg(d.privilege_type order by d.privilege_type)
                   from pg_catalog.aclexplode(pg_catalog.acldefault('s', s.relowner)) d) end as "ownerDefault"
       from (select grantee, privilege_type, is_grantable from pg_catalog.aclexplode(s.relacl)
             union all select s.relowner, '', false) e
      where s.relacl is not null
      group by e.grantee) g)`;

/** One row a sequence that has any, whose text is the JSON of {@link found}. */
export const IDENTITY_SEQUENCES = `
  select 'identity' as kind, n.nspname as schema, c.relname as table, a.attname as name, pg_catalog.json_build_object(
      'schema', sn.nspname, 'sequence', s.relname, 'table', n.nspname, 'relation', c.relname, 'column', a.attname,
      'comment', pg_catalog.obj_description(s.oid, 'pg_class'), 'privileges', coalesce(${PRIVILEGES}, '[]'))::pg_catalog.text as text
    from pg_catalog.pg_depend d join pg_catalog.pg_class s on s.oid = d.objid join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
    join pg_catalog.pg_class c on c.oid = d.refobjid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
   where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.deptype = 'i'
     and s.relkind = 'S' and s.oid >= ${FIRST_OWN_OID}
     and (s.relacl is not null or pg_catalog.obj_description(s.oid, 'pg_class') is not null)`;

const found = z.object({
  schema: z.string(),
  sequence: z.string(),
  table: z.string(),
  relation: z.string(),
  column: z.string(),
  comment: z.string().nullable(),
  privileges: z.array(
    z.object({
      grantee: z.string(),
      privileges: z.array(z.string()),
      grantable: z.array(z.string()),
      ownerDefault: z.array(z.string()).nullable(),
    }),
  ),
});

/**
 * @param texts of {@link IDENTITY_SEQUENCES}.
 * @param known facts of the library's.
 */
export function identitySequencesFrom(texts: readonly string[], known: readonly Fact[]): Fact[] {
  if (texts.length === 0) return [];
  const present = new Set(known.map(({ id }) => encodeId(id)));
  return texts.flatMap((text): Fact[] => {
    const { schema, sequence, table, relation, column, comment, privileges } = found.parse(JSON.parse(text));
    const parent: StableId = { kind: "column", schema: table, table: relation, name: column };
    if (!present.has(encodeId(parent))) return [];
    const target: StableId = { kind: "sequence", schema, name: sequence };
    return [
      ...(comment === null ? [] : [{ id: { kind: "comment" as const, target }, parent, payload: { text: comment } }]),
      ...privileges.map(({ grantee, ownerDefault, ...given }) => ({
        id: { kind: "acl" as const, target, grantee },
        parent,
        payload: { ...given, ...(ownerDefault === null ? {} : { _ownerDefault: ownerDefault }) },
      })),
    ];
  });
}
