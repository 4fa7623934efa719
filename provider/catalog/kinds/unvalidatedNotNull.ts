/**
 * `NOT NULL … NOT VALID`, which servers have from version 18 on: new rows have a value, old ones may have
 * none. Its column counts as one that may be null, so that a NOT NULL of all rows is a change of it.
 */
import { encodeId, type Fact, type StableId } from "../pgDelta.ts";
import { quoteIdent, quoteQualified } from "../quote.ts";
import { asObject, type ObjectKind, PART, splitName, text } from "./kind.ts";

const NAME = "unvalidated NOT NULL";

/** With the partitions and the tables that inherit: the server wants it there, too. */
function altering(key: string, change: string): string {
  const [schema = "", table = ""] = splitName(key);
  return `ALTER TABLE ${quoteQualified(schema, table)} ${change}`;
}

const CONSTRAINTS = `
  pg_catalog.pg_constraint o where o.contype = 'n' and o.conrelid <> 0 and not o.convalidated and o.conislocal`;

export const unvalidatedNotNull: ObjectKind = {
  name: NAME,
  base: "column",
  isThere: `exists (select from ${CONSTRAINTS})`,
  query: `
    select '${NAME}', ${PART}, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname), 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid,
           a.attnum::pg_catalog.int4, pg_catalog.json_build_object('name', o.conname)
      from (select o.conname, o.conrelid, o.conkey from ${CONSTRAINTS}) o join pg_catalog.pg_class c on c.oid = o.conrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = o.conkey[1]`,
  create: (key, payload) => [
    altering(
      key,
      `ADD CONSTRAINT ${quoteIdent(text(payload.name))} NOT NULL ${quoteIdent(splitName(key)[2] ?? "")} NOT VALID`,
    ),
  ],
  drop: (key, payload) => altering(key, `DROP CONSTRAINT ${quoteIdent(text(payload.name))}`),
  alter: {
    name: (key, from, to) => [altering(key, `RENAME CONSTRAINT ${quoteIdent(text(from))} TO ${quoteIdent(text(to))}`)],
  },
  lock: "accessExclusive",
};

/** Columns as they are for the rows that are there. */
export function withUnvalidated(columns: readonly Fact[], objects: readonly Fact[]): Fact[] {
  const open = new Set(
    objects.flatMap(({ id }) => {
      const object = asObject(id);
      const [schema = "", table = "", name = ""] = splitName(object?.key ?? "");
      const column: StableId = { kind: "column", schema, table, name };
      return object?.intentKind === NAME ? [encodeId(column)] : [];
    }),
  );
  if (open.size === 0) return [...columns];
  return columns.map((fact) =>
    open.has(encodeId(fact.id)) ? { ...fact, payload: { ...fact.payload, notNull: false } } : fact,
  );
}
