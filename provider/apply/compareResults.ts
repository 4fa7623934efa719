/**
 * Compares what is stored of the results of changed functions with what they will be, on all rows and within
 * a time limit. The functions are made in a transaction that is undone; what may be compared is decided in
 * `plan/equalResults.ts`.
 */
import type { Pool, PoolClient } from "pg";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import { codeOf } from "../database/connectionError.ts";
import { connectionLoss } from "../database/lostConnection.ts";
import type { ComparedResult, EqualResults, ResultComparison } from "../plan/equalResults.ts";

/** How long a lock is waited for: others must not queue up behind us. */
const LOCK_TIMEOUT_MS = 200;

/**
 * Both sides are read by one snapshot. They are scans of whole tables that show the place of each row, which
 * the planner never answers by an index: those hold the old results.
 */
const BEGIN = `begin isolation level repeatable read;
  set local row_security = off;
  set local lock_timeout = ${LOCK_TIMEOUT_MS};
  set local check_function_bodies = off;`;

/**
 * The objects whose results are equal on all rows. Those that could not be compared, for want of time, of a
 * privilege or of a lock, are not among them.
 *
 * @param timeoutMs for the whole comparison.
 */
export async function compareResults(
  pool: Pool,
  comparison: ResultComparison | undefined,
  timeoutMs: number,
): Promise<EqualResults> {
  const equal = new Map<string, number>();
  if (comparison === undefined || timeoutMs === 0) return equal;
  const end = performance.now() + timeoutMs;
  const client = await pool.connect();
  try {
    await client.query(BEGIN);
    const before = await digests(client, comparison.results, end);
    if (before.size === 0 || !(await areMade(client, comparison.functions, end))) return equal;
    const after = await digests(
      client,
      comparison.results.filter(({ key }) => before.has(key)),
      end,
    );
    for (const [key, { rows, digest }] of after) if (before.get(key)?.digest === digest) equal.set(key, rows);
    return equal;
  } finally {
    // The session has seen functions that never were.
    client.release(true);
  }
}

interface Digest {
  rows: number;
  digest: string;
}

async function digests(
  client: PoolClient,
  results: readonly ComparedResult[],
  end: number,
): Promise<Map<string, Digest>> {
  const found = new Map<string, Digest>();
  for (const result of results) {
    const { searchPath = PINNED_SEARCH_PATH } = result;
    const digest = await attempt(client, { isUndone: true, searchPath }, end, () => digestOf(client, result));
    if (digest !== undefined) found.set(result.key, digest);
  }
  return found;
}

/** Sums of two hashes make 128 bits, in whatever order the rows come. */
const SUMS =
  "pg_catalog.sum(pg_catalog.hashtextextended(image, 0)), pg_catalog.sum(pg_catalog.hashtextextended(image, 1))";

/** Of each row's place and the binary image of its results. */
async function digestOf(client: PoolClient, { quotedSource, quotedValues }: ComparedResult): Promise<Digest> {
  const { rows } = await client.query<Digest>(
    `select pg_catalog.count(*)::pg_catalog.int4 as rows, pg_catalog.concat_ws(' ', pg_catalog.count(*), ${SUMS}) as digest
       from (select pg_catalog.concat_ws(' ', tableoid, ctid, pg_catalog.encode(pg_catalog.record_send(${quotedValues}), 'hex')) collate "C" as image
               from ${quotedSource}) as stored`,
  );
  return rows[0] ?? { rows: 0, digest: "" };
}

async function areMade(client: PoolClient, functions: readonly string[], end: number): Promise<boolean> {
  const made = await attempt(client, { isUndone: false, searchPath: PINNED_SEARCH_PATH }, end, async () => {
    for (const sql of functions) await client.query(sql);
    return true;
  });
  return made === true;
}

/**
 * Undefined for what the server refuses or does not finish in time.
 *
 * @param isUndone it runs read-only, in a savepoint that is undone: a caller of a function may be volatile.
 */
async function attempt<T>(
  client: PoolClient,
  { isUndone, searchPath }: { isUndone: boolean; searchPath: string },
  end: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const leftMs = Math.floor(end - performance.now());
  if (leftMs <= 0) return undefined;
  const undo = (): Promise<unknown> => client.query("rollback to savepoint comparison");
  await client.query("savepoint comparison");
  try {
    await client.query(
      `select pg_catalog.set_config('statement_timeout', $1, true), pg_catalog.set_config('search_path', $2, true),
              pg_catalog.set_config('transaction_read_only', $3, true)`,
      [String(leftMs), searchPath, isUndone ? "on" : "off"],
    );
    const done = await work();
    if (isUndone) await undo();
    return done;
  } catch (error) {
    if (codeOf(error) === undefined || connectionLoss(error) !== undefined) throw error;
    await undo();
    return undefined;
  }
}
