/**
 * How many rows each table holds, and a checksum of them, as a dump has them and as a restore must have them.
 * When this is asked is left to `dump.ts`, `proof.ts` and `restore.ts`.
 */
import type { ClientBase } from "pg";
import { PRINT_ALIKE } from "../catalog/printSettings.ts";
import { quoteQualified } from "../catalog/quote.ts";

/** What stands in one table. */
export interface TableRows {
  count: number;
  /** The sum of the hashes of its rows, whatever their order; undefined where the table is large. */
  checksum?: string | undefined;
}

/** By the table's qualified name, quoted. */
export type RowsByTable = Readonly<Record<string, TableRows>>;

/** A table whose rows a dump has. */
export interface DumpedTable {
  oid: number;
  name: string;
  /** Of its rows on the disk. */
  bytes: number;
}

/** The largest table that gets a checksum, and how much all of them may have together. */
const CHECKSUM_BYTES = 64 * 2 ** 20;
const ALL_CHECKSUMS_BYTES = 512 * 2 ** 20;

const TABLES_AT_ONCE = 100;

/**
 * Tables with rows of their own, as `pg_dump` takes them: partitions and foreign tables' neighbours alike,
 * but nothing of an extension.
 */
const TABLES = `
  select c.oid::pg_catalog.int8::pg_catalog.float8 as oid, n.nspname as schema, c.relname as name,
         pg_catalog.pg_relation_size(c.oid)::pg_catalog.float8 as bytes
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     and not exists (select from pg_catalog.pg_depend d
                      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
   order by n.nspname, c.relname`;

/** All time limits of a session that could end a long transaction; not each version has each. */
const LIMITS = `
  select pg_catalog.set_config(name, case name when 'lock_timeout' then $1 when 'statement_timeout' then $2 else '0' end, true)
    from pg_catalog.pg_settings
   where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'lock_timeout')`;

/** Rows are hashed as they are printed, and none is hidden by a policy: an error is better than a part. */
const READ_ALL = "set local row_security = off";

/** To be called in a transaction: it reads all rows, for as long as that takes, or within these limits. */
export async function readUnlimited(
  client: ClientBase,
  { lockWaitMs = 0, timeoutMs = 0 }: { lockWaitMs?: number; timeoutMs?: number } = {},
): Promise<void> {
  await client.query(LIMITS, [String(lockWaitMs), String(timeoutMs)]);
  await client.query(PRINT_ALIKE);
  await client.query(READ_ALL);
}

export async function dumpedTables(client: ClientBase): Promise<DumpedTable[]> {
  const { rows } = await client.query<{ oid: number; schema: string; name: string; bytes: number }>(TABLES);
  return rows.map(({ oid, schema, name, bytes }) => ({ oid, name: quoteQualified(schema, name), bytes }));
}

/** The tables that are small enough for a checksum, the first ones where they are many. */
export function tablesWithChecksum(tables: readonly DumpedTable[]): Set<string> {
  let bytes = 0;
  const small = tables.filter((table) => {
    if (table.bytes > CHECKSUM_BYTES || bytes + table.bytes > ALL_CHECKSUMS_BYTES) return false;
    bytes += table.bytes;
    return true;
  });
  return new Set(small.map(({ name }) => name));
}

/**
 * The checksum of rows, whatever their order.
 *
 * @param row an expression.
 */
export const checksumOf = (row: string): string =>
  `coalesce(pg_catalog.sum(pg_catalog.hashtextextended((${row})::pg_catalog.text collate "C", 0)), 0)::pg_catalog.text`;

/** @param hashed the tables that get a checksum. */
export async function countRows(
  client: ClientBase,
  names: readonly string[],
  hashed: ReadonlySet<string>,
): Promise<RowsByTable> {
  const found: Record<string, TableRows> = {};
  for (let start = 0; start < names.length; start += TABLES_AT_ONCE) {
    const some = names.slice(start, start + TABLES_AT_ONCE);
    const query = some.map((name, n) => {
      // `t.*` is the row also where a column is called `t`.
      const checksum = hashed.has(name) ? checksumOf("t.*") : "null";
      return `select ${n} as n, pg_catalog.count(*)::pg_catalog.float8 as count, ${checksum} as checksum from only ${name} as t`;
    });
    const { rows } = await client.query<{ n: number; count: number; checksum: string | null }>(
      query.join(" union all "),
    );
    for (const { n, count, checksum } of rows) {
      const name = some[n];
      if (name !== undefined) found[name] = checksum === null ? { count } : { count, checksum };
    }
  }
  return Object.fromEntries(names.map((name) => [name, found[name] ?? { count: 0 }]));
}

/** One line for each table that differs; no value of a row. */
export function differences(expected: RowsByTable, found: RowsByTable): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names].flatMap((name) => {
    const before = expected[name];
    const after = found[name];
    if (after === undefined) return [`${name}: the table is missing`];
    if (before === undefined) return [`${name}: the table is not one of the backup`];
    if (before.count !== after.count) return [`${name}: found ${after.count} rows, expected ${before.count}`];
    const isOther = before.checksum !== undefined && before.checksum !== after.checksum;
    return isOther ? [`${name}: the ${before.count} rows are not the same`] : [];
  });
}
