/**
 * What depends on what in a catalog. pg-delta's own question names every function and type of the system
 * before it joins; this one names only the ends of dependencies that something of the user's has.
 */
import type { QueryResult } from "pg";
import { z } from "zod";
import { isNew } from "./additions.ts";
import { type DependencyEdge, encodeId, type StableId } from "./pgDelta.ts";

type Row = Record<string, unknown>;
type Rows = Pick<QueryResult<Row>, "rows">;

/** Objects that `initdb` makes have numbers below this (`FirstNormalObjectId` in Postgres). */
const FIRST_NORMAL_OBJECT_ID = 16_384;

/** The ends of all dependencies, each once. */
const PLACE = "place";

const id = (kind: string, ...parts: string[]): string =>
  `pg_catalog.json_build_object('kind', ${kind}${parts.join("")})`;
const schema = ", 'schema', n.nspname";
const table = ", 'table', c.relname";
const name = (column: string): string => `, 'name', o.${column}`;

/** The ends of dependencies that are rows `o` of a catalog, with the id of each; a null id names none. */
const ends = (catalog: string, id: string, joined = "", condition = "true", precedence = 1): string => `
  select p.classid, p.objid, p.objsubid, null::pg_catalog.oid as refclassid, null::pg_catalog.oid as refobjid,
         null::pg_catalog.int4 as refobjsubid, ${id} as id, ${precedence} as precedence
    from ${PLACE} p join pg_catalog.${catalog} o on o.oid = p.objid ${joined}
   where p.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass and ${condition}`;

const inSchema = (column: string): string => `join pg_catalog.pg_namespace n on n.oid = o.${column}`;
const onRelation = (column: string): string => `
  join pg_catalog.pg_class c on c.oid = o.${column} join pg_catalog.pg_namespace n on n.oid = c.relnamespace`;

/** A sequence's owner is an attribute of it: as a dependency it would close a circle with the default. */
const IS_OWNED_SEQUENCE = `
  d.deptype = 'a' and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjsubid > 0
  and exists (select from pg_catalog.pg_class s where s.oid = d.objid and s.relkind = 'S')`;

/** An array stands for its elements, the row type of a relation for the relation. */
const TYPE = `case when c.oid is not null
    then ${id("case c.relkind when 'v' then 'view' when 'm' then 'materializedView' when 'f' then 'foreignTable' else 'table' end", schema, ", 'name', c.relname")}
    else ${id("case e.typtype when 'd' then 'domain' else 'type' end", ", 'schema', t.nspname, 'name', e.typname")} end`;

const RELATION_KIND = `case o.relkind when 'r' then 'table' when 'p' then 'table' when 'f' then 'foreignTable'
  when 'v' then 'view' when 'm' then 'materializedView' when 'i' then 'index' when 'I' then 'index'
  when 'S' then 'sequence' when 'c' then 'type' end`;

/** @param condition of the rows `d` of `pg_depend`. */
const dependencies = (condition = ""): string => `
  with dependency as materialized (
    select d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid
      from pg_catalog.pg_depend d
     where ${condition} d.deptype in ('n', 'a') and (d.objid >= ${FIRST_NORMAL_OBJECT_ID} or d.refobjid >= ${FIRST_NORMAL_OBJECT_ID})
       and not (${IS_OWNED_SEQUENCE})
  ),
  ${PLACE} as materialized (
    select classid, objid, objsubid from dependency union select refclassid, refobjid, refobjsubid from dependency
  )
  select *, null::pg_catalog.json as id, 0 as precedence from dependency
  union all
  ${[
    // An index that serves a constraint goes by its name.
    ends(
      "pg_class",
      id("'constraint'", schema, table, ", 'name', con.conname"),
      `join pg_catalog.pg_constraint con on con.conindid = o.oid and con.contype in ('p', 'u', 'x')
       join pg_catalog.pg_class c on c.oid = con.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace`,
      "p.objsubid = 0 and o.relkind in ('i', 'I')",
    ),
    ends(
      "pg_class",
      id(RELATION_KIND, schema, name("relname")),
      inSchema("relnamespace"),
      "(p.objsubid = 0 and o.relkind in ('r', 'p', 'f', 'v', 'm', 'i', 'I', 'S', 'c') or o.relkind in ('v', 'm', 'c'))",
      2,
    ),
    ends(
      "pg_class",
      id("'column'", schema, ", 'table', o.relname, 'name', a.attname"),
      `${inSchema("relnamespace")} join pg_catalog.pg_attribute a on a.attrelid = o.oid and a.attnum = p.objsubid`,
      "p.objsubid > 0 and o.relkind in ('r', 'p', 'f') and not a.attisdropped",
    ),
    ends(
      "pg_proc",
      id(
        "case o.prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end",
        schema,
        name("proname"),
        `, 'args', array(select pg_catalog.format_type(t.t, null)
                           from pg_catalog.unnest(o.proargtypes) with ordinality as t (t, ord) order by t.ord)`,
      ),
      inSchema("pronamespace"),
    ),
    ends("pg_constraint", id("'constraint'", schema, table, name("conname")), onRelation("conrelid")),
    ends(
      "pg_constraint",
      id("'constraint'", schema, ", 'table', t.typname", name("conname")),
      "join pg_catalog.pg_type t on t.oid = o.contypid join pg_catalog.pg_namespace n on n.oid = t.typnamespace",
    ),
    ends(
      "pg_type",
      TYPE,
      `join pg_catalog.pg_type e
         on e.oid = case when o.typtype = 'b' and o.typcategory = 'A' and o.typelem <> 0 then o.typelem else o.oid end
       join pg_catalog.pg_namespace t on t.oid = e.typnamespace
       left join pg_catalog.pg_class c on c.oid = e.typrelid and c.relkind in ('r', 'p', 'f', 'v', 'm')
       left join pg_catalog.pg_namespace n on n.oid = c.relnamespace`,
      "e.typtype in ('d', 'e', 'c', 'r')",
    ),
    ends("pg_collation", id("'collation'", schema, name("collname")), inSchema("collnamespace")),
    ends("pg_policy", id("'policy'", schema, table, name("polname")), onRelation("polrelid")),
    ends("pg_event_trigger", id("'eventTrigger'", name("evtname"))),
    ends("pg_publication", id("'publication'", name("pubname"))),
    ends(
      "pg_publication_rel",
      id("'publication'", ", 'name', b.pubname"),
      "join pg_catalog.pg_publication b on b.oid = o.prpubid",
    ),
    ends("pg_foreign_data_wrapper", id("'fdw'", name("fdwname"))),
    ends("pg_foreign_server", id("'server'", name("srvname"))),
    ends(
      "pg_attrdef",
      id("'default'", schema, table, ", 'name', a.attname"),
      `${onRelation("adrelid")} join pg_catalog.pg_attribute a on a.attrelid = o.adrelid and a.attnum = o.adnum`,
    ),
    ends(
      "pg_rewrite",
      `case when o.rulename = '_RETURN'
         then ${id("case c.relkind when 'm' then 'materializedView' else 'view' end", schema, ", 'name', c.relname")}
         else ${id("'rule'", schema, table, name("rulename"))} end`,
      onRelation("ev_class"),
    ),
    ends("pg_trigger", id("'trigger'", schema, table, name("tgname")), onRelation("tgrelid"), "not o.tgisinternal"),
    ends("pg_namespace", id("'schema'", name("nspname"))),
    // A member of an extension stands for the extension.
    `
  select p.classid, p.objid, p.objsubid, null, null, null, ${id("'extension'", name("extname"))}, 0
    from ${PLACE} p
    join pg_catalog.pg_depend d on d.classid = p.classid and d.objid = p.objid and d.deptype = 'e'
     and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
    join pg_catalog.pg_extension o on o.oid = d.refobjid
   where p.classid in (${["pg_proc", "pg_type", "pg_opclass", "pg_opfamily", "pg_operator", "pg_foreign_data_wrapper"]
     .map((catalog) => `'pg_catalog.${catalog}'::pg_catalog.regclass`)
     .join(", ")})`,
  ].join("\n  union all")}`;

/** Rows with `refclassid` are dependencies; the others say what an end is, the lowest precedence first. */
export const DEPENDENCIES = dependencies();

/** The same of what a transaction from number `$1` on has made. */
export const NEW_DEPENDENCIES = dependencies(`${isNew("d")} and`);

/** @returns rows as pg-delta's own question gives them: `{ dependent, referenced }`, both ids. */
export function dependenciesIn({ rows }: Rows): Rows {
  const known = new Map<string, { id: unknown; precedence: number }>();
  for (const { classid, objid, objsubid, refclassid, id, precedence } of rows) {
    if (refclassid !== null) continue;
    const place = `${classid} ${objid} ${objsubid}`;
    const other = known.get(place);
    if (other === undefined || Number(precedence) < other.precedence)
      known.set(place, { id, precedence: Number(precedence) });
  }
  const idOf = (...place: unknown[]): unknown => known.get(place.join(" "))?.id ?? null;
  return {
    rows: rows.flatMap((row) => {
      if (row.refclassid === null) return [];
      const dependent = idOf(row.classid, row.objid, row.objsubid);
      const referenced = idOf(row.refclassid, row.refobjid, row.refobjsubid);
      return dependent === null || referenced === null ? [] : [{ dependent, referenced }];
    }),
  };
}

const simple = z.object({
  kind: z.enum(["schema", "eventTrigger", "publication", "fdw", "server", "extension"]),
  name: z.string(),
});
const qualified = z.object({
  kind: z.enum([
    "table",
    "view",
    "materializedView",
    "index",
    "sequence",
    "domain",
    "type",
    "collation",
    "foreignTable",
  ]),
  schema: z.string(),
  name: z.string(),
});
const part = z.object({
  kind: z.enum(["column", "constraint", "default", "trigger", "policy", "rule"]),
  schema: z.string(),
  table: z.string(),
  name: z.string(),
});
const routine = z.object({
  kind: z.enum(["function", "procedure", "aggregate"]),
  schema: z.string(),
  name: z.string(),
  args: z.array(z.string()),
});
const end = z.union([simple, qualified, part, routine]);

/**
 * As pg-delta makes edges of the rows of its question, each once. A generated column has no fact of a
 * default, so what that needs, the column needs.
 *
 * @param rows in which each end is one object, as {@link dependenciesIn} gives them.
 */
export function edgesIn({ rows }: Rows, isFact: (id: StableId) => boolean): DependencyEdge[] {
  const ends = new Map<unknown, { id: StableId; key: string }>();
  const endOf = (given: unknown): { id: StableId; key: string } => {
    const known = ends.get(given);
    if (known !== undefined) return known;
    const id = end.parse(given);
    const made = { id, key: encodeId(id) };
    ends.set(given, made);
    return made;
  };
  const edges = new Map<string, DependencyEdge>();
  for (const { dependent, referenced } of rows) {
    const [{ id: from, key }, to] = [endOf(dependent), endOf(referenced)];
    edges.set(`${key} ${to.key}`, { from, to: to.id, kind: "depends" });
    if (from.kind !== "default" || isFact(from)) continue;
    const column: StableId = { ...from, kind: "column" };
    const ofColumn = encodeId(column);
    if (ofColumn !== to.key) edges.set(`${ofColumn} ${to.key}`, { from: column, to: to.id, kind: "depends" });
  }
  return [...edges.values()];
}
