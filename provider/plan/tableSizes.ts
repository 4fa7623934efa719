/**
 * How many rows and bytes the touched tables have, estimated without a scan, and which are empty. Takes no
 * lock that anyone waits for.
 */
import type { ClientBase, Pool } from "pg";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteQualified } from "../catalog/quote.ts";
import { type TableSize, type TableSizes, tableOf, tablesOfDomain } from "../catalog/tables.ts";
import type { Statement } from "./statement.ts";

const PROBE_LOCK_TIMEOUT_MS = 250;
const MOST_COUNTED = 1000;

/**
 * Estimates for tables by schema and name, from the statistics, which need no lock; -1 rows where they know
 * nothing. A partitioned table has those of its partitions: of its own, there are none before an ANALYZE.
 */
const ESTIMATES = `
  select n.nspname as schema, c.relname as name,
         coalesce(parts.rows, c.reltuples::bigint)::pg_catalog.text as rows,
         (coalesce(parts.pages, c.relpages::bigint) * pg_catalog.current_setting('block_size')::bigint)::pg_catalog.text as bytes
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) as desired (schema, name) on desired.schema = n.nspname and desired.name = c.relname
    left join lateral (
      select pg_catalog.sum(l.reltuples::bigint) filter (where l.reltuples >= 0)::bigint as rows, pg_catalog.sum(l.relpages) as pages
        from pg_catalog.pg_partition_tree(c.oid) p join pg_catalog.pg_class l on l.oid = p.relid
       where p.isleaf and l.relkind = 'r') parts on c.relkind = 'p'
   where c.relkind in ('r', 'p', 'm')`;

/**
 * Sizes of the tables and materialized views that the statements touch and the database has. Estimated, but
 * whether a table is empty is looked up, because on an empty table much is harmless. A table that the role
 * may not read counts as holding rows.
 *
 * @param others that are asked about as well.
 * @param nameNow what a table of `live` is called in the database until the renames of this update are made.
 */
export async function readSizes(
  client: ClientBase | Pool,
  live: FactBase,
  desired: FactBase,
  statements: readonly Statement[],
  others: readonly StableId[],
  nameNow: (table: StableId) => StableId = (table) => table,
): Promise<TableSizes> {
  const keys = new Map<string, string>();
  const tables = touchedRelations(live, desired, statements, others).flatMap((relation) => {
    const now = relationOf(nameNow(relation));
    if (now === undefined) return [];
    keys.set(JSON.stringify([now.schema, now.name]), encodeId(relation));
    return [now];
  });
  if (tables.length === 0) return new Map();
  const { rows } = await client.query<{ schema: string; name: string; rows: string; bytes: string }>(ESTIMATES, [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
  const sizes = new Map<string, TableSize>();
  for (const { schema, name, rows: estimate, bytes } of rows) {
    const seen = await countSome(client, schema, name);
    sizes.set(keys.get(JSON.stringify([schema, name])) ?? "", {
      rows: seen === 0 ? 0 : Math.max(seen, Number(estimate)),
      bytes: Number(bytes),
    });
  }
  return sizes;
}

/**
 * Rows of a table, counted up to a thousand: enough to know whether it is empty, and something to say where
 * there are no statistics.
 */
async function countSome(client: ClientBase | Pool, schema: string, name: string): Promise<number> {
  // A policy must not hide a row from this question: with row_security off the server raises an error
  // instead. Both statements go in one message, which is one transaction. A table that another session has
  // locked counts as holding rows.
  const probe =
    `set local row_security = off; set local lock_timeout = ${PROBE_LOCK_TIMEOUT_MS}; ` +
    `select pg_catalog.count(*)::int as rows from (select from ${quoteQualified(schema, name)} limit ${MOST_COUNTED}) as sample`;
  try {
    const results: unknown = await client.query(probe);
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    const rows = isAnswer(last) ? last.rows[0]?.rows : undefined;
    return typeof rows === "number" ? rows : 1;
  } catch {
    return 1;
  }
}

function isAnswer(value: unknown): value is { rows: { rows?: unknown }[] } {
  return typeof value === "object" && value !== null && "rows" in value && Array.isArray(value.rows);
}

type Relation = ReturnType<typeof relationOf> & object;

const relationOf = (id: StableId) => (id.kind === "table" || id.kind === "materializedView" ? id : undefined);

function touchedRelations(
  live: FactBase,
  desired: FactBase,
  statements: readonly Statement[],
  others: readonly StableId[],
): Relation[] {
  const relations = new Map<string, Relation>();
  const add = (id: StableId | undefined): void => {
    if (id === undefined) return;
    const relation = relationOf(tableOf(id, live, desired) ?? id);
    if (relation !== undefined && live.has(relation)) relations.set(encodeId(relation), relation);
  };
  for (const { id, drops, locksToo = [] } of statements)
    for (const touched of [id, ...drops, ...locksToo, ...(id === undefined ? [] : tablesOfDomain(id, live))])
      add(touched);
  for (const id of others) for (const touched of [id, ...tablesOfDomain(id, live)]) add(touched);
  return [...relations.values()];
}
