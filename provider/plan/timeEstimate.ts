/**
 * About how long a statement works on the rows of its table. The figures are measured in
 * `docs/benchmarks.md`.
 */
import type { TableSize } from "../catalog/tables.ts";
import type { Statement } from "./statement.ts";

/**
 * What a server of middling speed does in a second: see `docs/benchmarks.md`. Reading is taken slower than
 * from memory. An estimate tells seconds from hours, and no more.
 */
const READ_BYTES = 200e6;
const COPIED_BYTES = 25e6;
const INDEXED_ROWS = 0.7e6;
const FILLED_ROWS = 50e3;
export const TAKEN_OUT_PER_SECOND = 0.2e6;
/** A concurrent build reads the table twice. */
const CONCURRENT_PASSES = 2;

/**
 * How long a statement works on the rows of its table, in milliseconds; undefined where it touches none.
 *
 * @param copies whether the server writes a new copy of the table.
 */
export function estimateMs(statement: Statement, { rows, bytes }: TableSize, copies: boolean): number | undefined {
  const { work, rewrites, backfill, copying, takesOut, id, op, sql, transaction } = statement;
  if (rows === 0) return undefined;
  if (backfill !== undefined || copying !== undefined) return (1000 * rows) / FILLED_ROWS;
  if (takesOut !== undefined) return (1000 * rows) / TAKEN_OUT_PER_SECOND;
  if (work === "catalog") return undefined;
  if (copies) return (1000 * bytes) / COPIED_BYTES;
  if (rewrites) return undefined;
  const builds = op === "create" && (id?.kind === "index" || / (UNIQUE|PRIMARY KEY|EXCLUDE) /.test(sql));
  if (builds) return ((1000 * rows) / INDEXED_ROWS) * (transaction === "none" ? CONCURRENT_PASSES : 1);
  return (1000 * bytes) / READ_BYTES;
}
