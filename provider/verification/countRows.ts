/**
 * Counts the rows of tables, with a checksum that does not depend on their order while a table is small.
 * What a difference means is decided in `compareRows.ts`.
 */
import type pg from "pg";
import { checksumOf, type RowsByTable } from "../backup/tableRows.ts";
import { PRINT_ALIKE } from "../catalog/printSettings.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import type { ProviderConfig } from "../core/config.ts";
import { codeOf } from "../database/connectionError.ts";
import { connectionLoss } from "../database/lostConnection.ts";
import type { Database } from "../database/target.ts";
import { inTransaction } from "../database/transaction.ts";

/** All tables together. */
const COUNTING_TIMEOUT_MS = 60_000;
/** Up to this size the contents of a table are summed up too. */
const LARGEST_SUMMED_BYTES = 64 * 1024 * 1024;

interface TableName {
  oid: string;
  schema: string;
  name: string;
}

/** A column, by what stays when it is renamed. */
interface ColumnKey {
  number: number;
  type: string;
}

/** A table that is no partition, with all rows of its partitions. */
export interface TableCount extends TableName {
  partitions: TableName[];
  /** Those that went into the checksum. */
  columns: ColumnKey[];
  /** Undefined where it could not be counted. */
  rows: bigint | undefined;
  /** Undefined where the table is large, or its columns are not those of the earlier count. */
  checksum: string | undefined;
}

/**
 * Returns the tables of schemas, with partitions, size, and the columns that hold values of their own;
 * whether there are others.
 */
const TABLES = `
  SELECT c.oid::pg_catalog.text AS oid, n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS "isPartitioned",
    EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped) AS "isComputed",
    COALESCE(parts.size, pg_catalog.pg_table_size(c.oid))::pg_catalog.float8 AS bytes, COALESCE(parts.list, '[]') AS partitions,
    COALESCE(parts.leaves, '{}') AS leaves,
    COALESCE((
      SELECT pg_catalog.json_agg(pg_catalog.json_build_object('number', a.attnum, 'type', a.atttypid::pg_catalog.text, 'name', a.attname) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ), '[]') AS columns
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT pg_catalog.sum(pg_catalog.pg_table_size(p.oid)) AS size,
      pg_catalog.json_agg(pg_catalog.json_build_object('oid', p.oid::pg_catalog.text, 'schema', pn.nspname, 'name', p.relname)) AS list,
      pg_catalog.array_agg(p.oid::pg_catalog.text) FILTER (WHERE t.isleaf) AS leaves
    FROM pg_catalog.pg_partition_tree(c.oid) t
    JOIN pg_catalog.pg_class p ON p.oid = t.relid
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
    WHERE t.level > 0
  ) parts ON c.relkind = 'p'
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND n.nspname = ANY ($1)
  ORDER BY n.nspname, c.relname`;

interface FoundTable extends TableName {
  isPartitioned: boolean;
  /** Whether it has generated columns. */
  isComputed: boolean;
  bytes: number;
  /** OIDs of the partitions that hold rows. */
  leaves: string[];
  partitions: TableName[];
  columns: (ColumnKey & { name: string })[];
}

/** What is known already. */
export interface KnownCounts {
  /** Counts to compare with: checksums are of the columns that those had. */
  earlier?: readonly TableCount[];
  /** Rows that a backup has counted: what they tell is not counted again. */
  counted?: RowsByTable | undefined;
}

/** The tables of schemas, each as it is at the moment when it is counted. */
export async function countRows(
  database: Database,
  config: ProviderConfig,
  schemas: readonly string[],
  signal: AbortSignal,
  { earlier = [], counted = {} }: KnownCounts = {},
): Promise<TableCount[]> {
  const limits = { ...config, statementTimeoutMs: COUNTING_TIMEOUT_MS };
  const count = async (client: pg.ClientBase): Promise<TableCount[]> => {
    // A policy must not hide a row: with row_security off the server raises an error instead.
    await client.query("SET LOCAL transaction_read_only = on; SET LOCAL row_security = off");
    await client.query(PRINT_ALIKE);
    const { rows: tables } = await client.query<FoundTable>(TABLES, [schemas]);
    const end = performance.now() + COUNTING_TIMEOUT_MS;
    const counts: TableCount[] = [];
    for (const table of tables) {
      signal.throwIfAborted();
      const before = earlier.find(({ oid }) => oid === table.oid);
      counts.push(knownCount(table, counted) ?? (await countTable(client, table, before, end - performance.now())));
    }
    return counts;
  };
  return inTransaction(database, limits, count, { isUndone: true, signal });
}

/**
 * From the rows that a backup has counted. Undefined where they do not tell all that counting would: the
 * checksum of a table with generated columns is of them as well, and partitions may have their columns in
 * another order than their parent.
 */
function knownCount(table: FoundTable, counted: RowsByTable): TableCount | undefined {
  const { isPartitioned, isComputed, bytes, partitions, leaves } = table;
  const holders = isPartitioned ? partitions.filter((part) => leaves.includes(part.oid)) : [table];
  const counts = holders.flatMap((part) => counted[quoteQualified(part.schema, part.name)] ?? []);
  if (counts.length < holders.length) return undefined;
  const rows = counts.reduce((sum, { count }) => sum + BigInt(count), 0n);
  if (bytes > LARGEST_SUMMED_BYTES) return asCount(table, [], { rows, checksum: undefined });
  const checksum = counts[0]?.checksum;
  if (isPartitioned || isComputed || checksum === undefined) return undefined;
  return asCount(table, table.columns, { rows, checksum });
}

const asCount = (
  { oid, schema, name, partitions }: FoundTable,
  columns: FoundTable["columns"],
  counted: Pick<TableCount, "rows" | "checksum">,
): TableCount => ({
  ...{ oid, schema, name, partitions },
  columns: columns.map(({ number, type }) => ({ number, type })),
  ...counted,
});

async function countTable(
  client: pg.ClientBase,
  table: FoundTable,
  before: TableCount | undefined,
  leftMs: number,
): Promise<TableCount> {
  const summed = table.bytes > LARGEST_SUMMED_BYTES ? undefined : columnsOf(table.columns, before);
  const found = leftMs <= 0 ? undefined : await countedIn(client, table, summed, leftMs);
  return asCount(table, summed ?? [], {
    rows: found && BigInt(found.rows),
    checksum: found?.checksum ?? undefined,
  });
}

/** The columns of an earlier count as they are called now; undefined where one is gone or converted. */
function columnsOf(columns: FoundTable["columns"], before: TableCount | undefined): FoundTable["columns"] | undefined {
  if (before === undefined) return columns;
  const same = before.columns.map(({ number, type }) =>
    columns.find((column) => column.number === number && column.type === type),
  );
  const known = same.filter((column) => column !== undefined);
  return known.length === same.length ? known : undefined;
}

async function countedIn(
  client: pg.ClientBase,
  { schema, name, isPartitioned }: FoundTable,
  columns: FoundTable["columns"] | undefined,
  leftMs: number,
): Promise<{ rows: string; checksum: string | null } | undefined> {
  const table = `${isPartitioned ? "" : "ONLY "}${quoteQualified(schema, name)} AS t`;
  const values = (columns ?? []).map((column) => `t.${quoteIdent(column.name)}`).join(", ");
  const checksum = columns === undefined ? "NULL" : checksumOf(`ROW(${values})`);
  await client.query("SAVEPOINT pgstrata_count");
  try {
    await client.query("SELECT pg_catalog.set_config('statement_timeout', $1, true)", [String(Math.ceil(leftMs))]);
    const { rows } = await client.query<{ rows: string; checksum: string | null }>(
      `SELECT pg_catalog.count(*)::pg_catalog.text AS rows, ${checksum} AS checksum FROM ${table}`,
    );
    return rows[0];
  } catch (error) {
    // Without the time or the privileges it is not counted, which the report says.
    if (connectionLoss(error) !== undefined || codeOf(error) === undefined) throw error;
    return undefined;
  } finally {
    await client.query("ROLLBACK TO SAVEPOINT pgstrata_count; RELEASE SAVEPOINT pgstrata_count").catch(() => undefined);
  }
}
