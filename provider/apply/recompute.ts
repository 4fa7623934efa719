/** Computes a generated column of existing rows again, in batches of a transaction each. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolClient } from "pg";
import { UserError } from "../core/errors.ts";

/** Pages that one batch looks through, and rows that it changes at most. */
const BATCH_PAGES = 512;
const BATCH_ROWS = 5000;
const PAUSE_MS = 20;
/** How often rows that others have locked are looked for again. */
const MOST_EMPTY_PASSES = 200;

/** All quoted. */
export interface RecomputedColumn {
  table: string;
  column: string;
  expression: string;
  /** A column that is set to itself, so that the server computes the other one. */
  set: string;
}

/**
 * Only rows whose value differs are touched, so a run that ends in between is finished by the next one. The
 * table is gone through page by page until a pass finds none, because others may move rows meanwhile.
 *
 * @param progress is told the rows done so far.
 * @throws {UserError} when the expression gives another value each time, or rows stay locked by others.
 */
export async function recomputeInBatches(
  client: PoolClient,
  { table, column, expression, set }: RecomputedColumn,
  signal: AbortSignal,
  progress: (rows: number) => void,
): Promise<void> {
  const isOld = (of: string): string =>
    `row(${of}${column})::pg_catalog.record operator(pg_catalog.*<>) row(${expression})::pg_catalog.record`;
  const batch = `
    with old as (select ctid as pgstrata_row from only ${table}
                  where ctid >= $1::pg_catalog.tid and ctid < $2::pg_catalog.tid and ${isOld("")} limit ${BATCH_ROWS} for update skip locked),
         done as (update only ${table} as t set ${set} = t.${set} from old where t.ctid = old.pgstrata_row returning ${isOld("t.")} as is_old)
    select pg_catalog.count(*)::pg_catalog.int4 as rows, pg_catalog.count(*) filter (where is_old)::pg_catalog.int4 as old from done`;
  const anyOld = `select from only ${table} where ${isOld("")} limit 1`;
  let done = 0;
  for (let emptyPasses = 0; emptyPasses < MOST_EMPTY_PASSES; ) {
    const before = done;
    const { rows: sizes } = await client.query<{ pages: number }>(
      "select (pg_catalog.pg_relation_size($1::pg_catalog.regclass) / pg_catalog.current_setting('block_size')::pg_catalog.int8)::pg_catalog.int4 as pages",
      [table],
    );
    const pages = sizes[0]?.pages ?? 0;
    for (let page = 0; page < pages; ) {
      signal.throwIfAborted();
      const { rows } = await client.query<{ rows: number; old: number }>(batch, [
        `(${page},0)`,
        `(${page + BATCH_PAGES},0)`,
      ]);
      const { rows: changed, old } = rows[0] ?? { rows: 0, old: 0 };
      if (old > 0)
        throw new UserError(
          "PS310",
          `The expression of ${column} of ${table} gives a different value each time it is computed, so the stored values cannot be brought up to date. ` +
            "Expected one that gives the same value for the same row.",
        );
      if (changed < BATCH_ROWS) page += BATCH_PAGES;
      done += changed;
      if (changed === 0) continue;
      progress(done);
      await sleep(PAUSE_MS, undefined, { signal });
    }
    if (done > before) {
      emptyPasses = 0;
      continue;
    }
    const { rows: left } = await client.query(anyOld);
    if (left.length === 0) return;
    emptyPasses += 1;
    await sleep(PAUSE_MS * 10, undefined, { signal });
  }
  throw new UserError(
    "PS302",
    `Rows of ${table} are still locked by other sessions, so their ${column} could not be recomputed. The other rows are done; end those sessions and run \`pulumi up\` again.`,
  );
}
