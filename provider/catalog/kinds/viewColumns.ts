/** What columns of views, materialized views, composite types and partitions may have of their own. */
import { quoteIdent, quoteQualified } from "../quote.ts";
import { type Base, commentOn, FIRST_OWN_OID, type ObjectKind, PART, splitName, text } from "./kind.ts";

function columnName(key: string): string {
  const [schema = "", relation = "", column = ""] = splitName(key);
  return `${quoteQualified(schema, relation)}.${quoteIdent(column)}`;
}

/** @param ofWhich condition on `c`, the relation, and `a`, the column. */
const comment = (name: string, base: Base, ofWhich: string): ObjectKind => ({
  name,
  base,
  isThere: `exists (select from pg_catalog.pg_description d join pg_catalog.pg_class c on c.oid = d.objoid
     where d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid > 0 and d.objoid >= ${FIRST_OWN_OID}
       and (c.relkind in ('v', 'm', 'c') or exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)))`,
  query: `
    select '${name}', ${PART}, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname),
           'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, a.attnum::pg_catalog.int4, pg_catalog.json_build_object('text', d.description)
      from pg_catalog.pg_description d join pg_catalog.pg_class c on c.oid = d.objoid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid
     where d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid > 0 and ${ofWhich}`,
  create: (key, payload) => [commentOn(`COLUMN ${columnName(key)}`, payload.text)],
  drop: (key) => commentOn(`COLUMN ${columnName(key)}`, null),
  alter: { text: (key, _, to) => [commentOn(`COLUMN ${columnName(key)}`, to)] },
});

function alteringView(key: string, change: string): string {
  const [schema = "", view = "", column = ""] = splitName(key);
  return `ALTER VIEW ${quoteQualified(schema, view)} ALTER COLUMN ${quoteIdent(column)} ${change}`;
}

/** What an `INSERT` through the view gives to a column that it leaves out. */
const viewDefault: ObjectKind = {
  name: "default of view column",
  base: "view",
  isThere: `exists (select from pg_catalog.pg_attrdef d join pg_catalog.pg_class c on c.oid = d.adrelid where c.relkind = 'v')`,
  query: `
    select 'default of view column', 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid, 0::pg_catalog.oid,
           pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname), 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, a.attnum::pg_catalog.int4,
           pg_catalog.json_build_object('expr', pg_catalog.pg_get_expr(d.adbin, d.adrelid))
      from pg_catalog.pg_attrdef d join pg_catalog.pg_class c on c.oid = d.adrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
     where c.relkind = 'v'`,
  create: (key, payload) => [alteringView(key, `SET DEFAULT ${text(payload.expr)}`)],
  drop: (key) => alteringView(key, "DROP DEFAULT"),
  alter: { expr: (key, _, to) => [alteringView(key, `SET DEFAULT ${text(to)}`)] },
  definitions: ["expr"],
  lock: "accessExclusive",
};

export const viewColumns: ObjectKind[] = [
  comment("comment on view column", "view", "c.relkind = 'v'"),
  comment("comment on materialized view column", "materializedView", "c.relkind = 'm'"),
  comment("comment on attribute", "type", "c.relkind = 'c'"),
  // The library reads columns that a table itself declares.
  comment("comment on inherited column", "column", "c.relkind in ('r', 'p') and not a.attislocal"),
  viewDefault,
];
