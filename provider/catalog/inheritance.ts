/**
 * What a table has from the tables that it inherits from or is a partition of. Facts hold only what is its
 * own; the rest is kept with the fact of the table, for plans that part the two or join them.
 */
import { z } from "zod";
import { encodeId, type Fact, type FactBase } from "./pgDelta.ts";
import { asColumn, asTable, columnId, type TableId, tableId } from "./tables.ts";

/**
 * One row for each table with parents; its text is the JSON of {@link Inheritance}. A column of a primary
 * key of its own is NOT NULL by that.
 */
export const INHERITANCE = `
  select 'table' as kind, n.nspname as schema, '' as table, c.relname as name, pg_catalog.json_build_object(
    'parents', (select pg_catalog.json_agg(pg_catalog.json_build_object('schema', pn.nspname, 'name', pc.relname, 'place', i.inhseqno) order by pn.nspname, pc.relname)
       from pg_catalog.pg_inherits i join pg_catalog.pg_class pc on pc.oid = i.inhparent join pg_catalog.pg_namespace pn on pn.oid = pc.relnamespace
      where i.inhrelid = c.oid),
    'isPending', exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid and i.inhdetachpending),
    'condition', pg_catalog.pg_get_partition_constraintdef(c.oid),
    'columns', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'isInherited', p.attname is not null, 'isLocal', a.attislocal,
         'hasOwnNotNull', a.attnotnull <> p.attnotnull and not coalesce(a.attnum = any (k.indkey), false),
         'hasOwnDefault', pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) is distinct from p.expression,
         'default', case when a.attgenerated = '' then pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) end,
         'payload', pg_catalog.json_build_object('_position', a.attnum, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
           'notNull', a.attnotnull, 'identity', null,
           'collation', (select pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) from pg_catalog.pg_collation co
              join pg_catalog.pg_namespace cn on cn.oid = co.collnamespace where co.oid = a.attcollation and a.attcollation <> t.typcollation),
           'generatedExpr', case when a.attgenerated <> '' then
              case a.attgenerated when 'v' then '/* virtual */ ' else '' end || pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) end))), '[]')
       from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
       left join pg_catalog.pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
       left join pg_catalog.pg_index k on k.indrelid = a.attrelid and k.indisprimary
       left join lateral (select pa.attname, pa.attnotnull, pg_catalog.pg_get_expr(pd.adbin, pd.adrelid) as expression
              from pg_catalog.pg_inherits i join pg_catalog.pg_attribute pa on pa.attrelid = i.inhparent and pa.attname = a.attname and not pa.attisdropped
              left join pg_catalog.pg_attrdef pd on pd.adrelid = pa.attrelid and pd.adnum = pa.attnum
             where i.inhrelid = c.oid order by pa.attnotnull desc, i.inhseqno limit 1) p on true
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    'constraints', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', o.conname, 'payload', pg_catalog.json_build_object(
         'def', pg_catalog.pg_get_constraintdef(o.oid), 'type', o.contype, 'validated', o.convalidated))), '[]')
       from pg_catalog.pg_constraint o where o.conrelid = c.oid and o.contype in ('p', 'u', 'f', 'c', 'x') and o.coninhcount > 0),
    'keys', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', o.conname, 'schema', xn.nspname, 'index', xc.relname)), '[]')
       from pg_catalog.pg_constraint o join pg_catalog.pg_inherits i on i.inhrelid = o.conindid
       join pg_catalog.pg_class xc on xc.oid = i.inhparent join pg_catalog.pg_namespace xn on xn.oid = xc.relnamespace
      where o.conrelid = c.oid and o.contype in ('p', 'u', 'x') and o.coninhcount = 0),
    'indexes', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', ic.relname, 'payload', pg_catalog.json_build_object(
         'def', pg_catalog.pg_get_indexdef(x.indexrelid), 'valid', true))), '[]')
       from pg_catalog.pg_index x join pg_catalog.pg_class ic on ic.oid = x.indexrelid
      where x.indrelid = c.oid and exists (select from pg_catalog.pg_inherits i where i.inhrelid = x.indexrelid)
        and not exists (select from pg_catalog.pg_constraint o where o.conindid = x.indexrelid and o.contype in ('p', 'u', 'x')))
  )::pg_catalog.text as text
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)`;

const columnPayload = z.object({
  _position: z.number(),
  type: z.string(),
  notNull: z.boolean(),
  identity: z.null(),
  collation: z.string().nullable(),
  generatedExpr: z.string().nullable(),
});

const inheritance = z.object({
  /** Sorted by name: their order, which `place` tells, is of no consequence once the columns are there. */
  parents: z.array(z.object({ schema: z.string(), name: z.string(), place: z.number() })),
  /** A concurrent detach was started but not finished. */
  isPending: z.boolean(),
  /**
   * What holds for the rows of a partition; null for one without a condition and for a table that inherits.
   */
  condition: z.string().nullable(),
  columns: z.array(
    z.object({
      name: z.string(),
      isInherited: z.boolean(),
      /** The table was declared with it. */
      isLocal: z.boolean(),
      hasOwnNotNull: z.boolean().nullable(),
      hasOwnDefault: z.boolean(),
      default: z.string().nullable(),
      payload: columnPayload,
    }),
  ),
  constraints: z.array(
    z.object({ name: z.string(), payload: z.object({ def: z.string(), type: z.string(), validated: z.boolean() }) }),
  ),
  /** Keys of its own over an index that is a part of one of its parent. */
  keys: z.array(z.object({ name: z.string(), schema: z.string(), index: z.string() })),
  indexes: z.array(z.object({ name: z.string(), payload: z.object({ def: z.string(), valid: z.boolean() }) })),
});

export type Inheritance = z.infer<typeof inheritance>;

/** What the fact of a table says of it; undefined for a table without parents. */
export function inheritanceOf(table: Fact | undefined): Inheritance | undefined {
  const value = table?.payload._inheritance;
  return value === undefined ? undefined : inheritance.parse(value);
}

/**
 * Facts without what is inherited. A column is one only where it differs from that of the parent: in its NOT
 * NULL, null where that is the parent's, or its default, null for none.
 *
 * @param texts by encoded id of the table, see {@link INHERITANCE}.
 */
export function withoutInherited(facts: readonly Fact[], texts: ReadonlyMap<string, string>): Fact[] {
  if (texts.size === 0) return [...facts];
  const found = new Map([...texts].map(([key, text]) => [key, inheritance.parse(JSON.parse(text))]));
  const inherited = new Map<string, Inheritance["columns"][number]>();
  for (const { id } of facts) {
    const table = asTable(id);
    if (table === undefined) continue;
    for (const column of found.get(encodeId(table))?.columns ?? [])
      if (column.isInherited) inherited.set(encodeId(columnId(table, column.name)), column);
  }
  const constraints = new Set(
    [...found].flatMap(([key, its]) => its.constraints.map(({ name }) => JSON.stringify([key, name]))),
  );
  // A comment or a privilege hangs below its column.
  const described = new Set(
    facts.flatMap(({ id, parent }) => (parent && id.kind !== "default" ? [encodeId(parent)] : [])),
  );
  const rest = facts.filter(({ id, parent }) => {
    if (id.kind === "constraint") return !(parent && constraints.has(JSON.stringify([encodeId(parent), id.name])));
    const column = asColumn(id);
    return column === undefined || !inherited.has(encodeId(column));
  });
  return rest.flatMap((fact) => {
    const id = asTable(fact.id);
    const its = id === undefined ? undefined : found.get(encodeId(id));
    if (id === undefined || its === undefined) return [fact];
    const columns = its.columns.filter(({ name, isInherited, hasOwnNotNull, hasOwnDefault, payload }) => {
      const isDescribed = described.has(encodeId(columnId(id, name)));
      return isInherited && (hasOwnNotNull || isDescribed || (hasOwnDefault && payload.generatedExpr === null));
    });
    return [withLinks(fact, its), ...columns.flatMap((column) => ownColumn(id, column))];
  });
}

function withLinks(fact: Fact, its: Inheritance): Fact {
  const { isPending } = its;
  const parents = its.parents.map(({ schema, name }) => ({ schema, name }));
  const several = parents.length > 1 ? { parents } : {};
  const pending = isPending ? { isDetachPending: true } : {};
  return { ...fact, payload: { ...fact.payload, parentTable: parents[0], ...several, ...pending, _inheritance: its } };
}

function ownColumn(table: TableId, column: Inheritance["columns"][number]): Fact[] {
  const id = columnId(table, column.name);
  const notNull = column.hasOwnNotNull ? column.payload.notNull : null;
  const own: Fact = { id, parent: table, payload: { notNull } };
  if (!column.hasOwnDefault || column.payload.generatedExpr !== null) return [own];
  return [own, { id: { ...id, kind: "default" as const }, parent: id, payload: { expr: column.default } }];
}

/** Whether a fact says how an inherited column differs from that of its parent. */
export const isOwnColumn = ({ id, payload }: Fact): boolean => id.kind === "column" && payload.type === undefined;

/** The tables that a table is a part of by inheritance or as a partition. */
export const parentsOf = (table: Fact | undefined): TableId[] =>
  (inheritanceOf(table)?.parents ?? []).map(({ schema, name }) => tableId(schema, name));

/** The same column further up, where it is a whole one. */
export function columnAbove(table: TableId, name: string, facts: FactBase): Fact | undefined {
  for (const parent of parentsOf(facts.get(table))) {
    const fact = facts.get(columnId(parent, name));
    if (fact !== undefined && !isOwnColumn(fact)) return fact;
    const above = columnAbove(parent, name, facts);
    if (above !== undefined) return above;
  }
  return undefined;
}
