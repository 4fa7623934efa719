/**
 * How existing rows get the value of a new column: in short batches that a later run can continue. The recipe
 * that calls for it is in `plan/online/column.ts`; generated columns are left to `recompute.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolClient } from "pg";
import { UserError } from "../core/errors.ts";
import type { Statement } from "../plan/statement.ts";
import { recomputeInBatches } from "./recompute.ts";

/** Small enough that a batch takes some ten milliseconds and nobody waits long for its row locks. */
const BATCH_ROWS = 5000;
const PAUSE_MS = 20;
/** How often rows that others have locked are looked for again. */
const MOST_EMPTY_ROUNDS = 200;

/**
 * Fills a column of existing rows with its default or its conversion, or computes a generated one again, in
 * batches of a transaction each. A run that ends in between is finished by the next one, because only rows
 * without a value, or with an old one, are touched.
 *
 * @param progress is told the rows done so far.
 * @throws {UserError} when the default gives no value, or rows stay locked by others.
 */
export async function backfill(
  client: PoolClient,
  { backfill: what }: Statement,
  signal: AbortSignal,
  progress: (rows: number) => void,
): Promise<void> {
  if (what === undefined) return;
  const { table, column, expression, recomputed } = what;
  if (recomputed !== undefined) return recomputeInBatches(client, { table, column, ...recomputed }, signal, progress);
  const value = expression === undefined ? "default" : `(${expression})`;
  const batch = `
    with batch as (select tableoid, ctid from ${table} where ${column} is null limit ${BATCH_ROWS} for update skip locked),
         filled as (update ${table} as t set ${column} = ${value} from batch where t.tableoid = batch.tableoid and t.ctid = batch.ctid returning t.${column} is null as empty)
    select pg_catalog.count(*)::int as rows, pg_catalog.count(*) filter (where empty)::int as empty from filled`;
  let done = 0;
  for (let emptyRounds = 0; emptyRounds < MOST_EMPTY_ROUNDS; ) {
    signal.throwIfAborted();
    const { rows } = await client.query<{ rows: number; empty: number }>(batch);
    const { rows: filled, empty } = rows[0] ?? { rows: 0, empty: 0 };
    if (empty > 0)
      throw new UserError(
        "PS310",
        `The ${expression === undefined ? "default" : "conversion"} of ${column} of ${table} gives no value for some rows, so they cannot be filled in.`,
      );
    if (filled === 0) {
      const { rows: left } = await client.query(`select from ${table} where ${column} is null limit 1`);
      if (left.length === 0) return;
      emptyRounds += 1;
    } else emptyRounds = 0;
    done += filled;
    progress(done);
    await sleep(filled === 0 ? PAUSE_MS * 10 : PAUSE_MS, undefined, { signal });
  }
  throw new UserError(
    "PS302",
    `Rows of ${table} are still locked by other sessions, so their ${column} could not be filled in. The other rows are done; end those sessions and run \`pulumi up\` again.`,
  );
}
