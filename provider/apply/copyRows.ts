/**
 * Copies the rows of a default partition that belong to a new one, while others write. What they change is in
 * a log of keys: these rows are copied again. A run that ends in between is finished by the next one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolClient } from "pg";
import { UserError } from "../core/errors.ts";
import { codeOf } from "../database/connectionError.ts";
import type { RowCopy } from "../plan/statement.ts";

/** Pages that one batch looks through. */
const BATCH_PAGES = 128;
const PAUSE_MS = 20;
/** So few changed keys are left to the transaction that attaches the partition. */
const FEW_KEYS = 200;
/** After so many rounds writers are as fast as the copy, and that transaction takes what is left. */
const MOST_ROUNDS = 50;
/** How often a batch may meet a key that the log gives up only afterwards. */
const MOST_CONFLICTS = 20;

/**
 * @param progress is told the rows copied so far.
 * @throws {UserError} when the default partition was truncated meanwhile.
 */
export async function copyRows(
  client: PoolClient,
  copy: RowCopy,
  signal: AbortSignal,
  progress: (rows: number) => void,
): Promise<void> {
  const { rows: leaves } = await client.query<{ name: string }>(
    "select relid::pg_catalog.regclass::pg_catalog.text as name from pg_catalog.pg_partition_tree($1::pg_catalog.regclass) where isleaf",
    [copy.source],
  );
  let done = 0;
  for (const { name } of leaves) {
    // What is written behind the last page from now on is in the log.
    const { rows: sizes } = await client.query<{ pages: number }>(
      "select (pg_catalog.pg_relation_size($1::pg_catalog.regclass) / pg_catalog.current_setting('block_size')::pg_catalog.int8)::pg_catalog.int4 as pages",
      [name],
    );
    const pages = sizes[0]?.pages ?? 0;
    for (let page = 0; page < pages; page += BATCH_PAGES) {
      signal.throwIfAborted();
      const { copied } = await batch(client, copy, { quotedLeaf: name, page });
      done += copied;
      progress(done);
      if (copied > 0) await sleep(PAUSE_MS, undefined, { signal });
    }
  }
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    signal.throwIfAborted();
    const { changed } = await batch(client, copy, undefined);
    if (changed < FEW_KEYS) break;
  }
  const { quotedTarget } = partsOf(copy);
  await client.query(`analyze ${quotedTarget}`);
}

interface Pages {
  quotedLeaf: string;
  page: number;
}

/**
 * First what has changed, then pages. A row that took a value of another one may meet the old row in a unique
 * index: its change is in the log by then, so a second try finds it.
 */
async function batch(
  client: PoolClient,
  copy: RowCopy,
  pages: Pages | undefined,
): Promise<{ changed: number; copied: number }> {
  for (let conflicts = 0; ; conflicts += 1) {
    await client.query("begin");
    try {
      const changed = await copyChanged(client, copy);
      const copied = pages === undefined ? 0 : await copyPages(client, copy, pages);
      await client.query("commit");
      return { changed, copied };
    } catch (error) {
      await client.query("rollback").catch(() => {});
      const isConflict = ["23505", "23P01"].includes(codeOf(error) ?? "");
      if (!isConflict || conflicts === MOST_CONFLICTS) throw error;
    }
  }
}

/** What a copy is made of, as it stands in SQL: quoted names, and a condition that the server has printed. */
function partsOf({ source, target, log, condition, columns, keys }: RowCopy) {
  const list = keys.join(", ");
  return {
    quotedSource: source,
    quotedTarget: target,
    quotedLog: log,
    quotedColumns: columns,
    quotedKeys: list,
    quotedCondition: condition,
    quotedEquality: keys.map((key) => `filled.${key} = log.${key}`).join(" and "),
  };
}

async function copyChanged(client: PoolClient, copy: RowCopy): Promise<number> {
  const { quotedSource, quotedTarget, quotedLog, quotedColumns, quotedKeys, quotedCondition, quotedEquality } =
    partsOf(copy);
  const taken = await client.query(`update ${quotedLog} set pgstrata_taken = true`);
  if (taken.rowCount === 0) return 0;
  const { rowCount: truncated } = await client.query(`select from ${quotedLog} where (${quotedKeys}) is null limit 1`);
  if (truncated !== 0)
    throw new UserError(
      "PS302",
      `${copy.source} was truncated while rows of it were copied to ${copy.target}. Nothing is lost, and the copy is taken back. Run \`pulumi up\` again.`,
    );
  await client.query(
    `delete from ${quotedTarget} as filled using ${quotedLog} as log where log.pgstrata_taken and ${quotedEquality}`,
  );
  await client.query(
    `insert into ${quotedTarget} (${quotedColumns}) overriding system value
     select ${quotedColumns} from ${quotedSource} where ${quotedCondition}
        and (${quotedKeys}) in (select ${quotedKeys} from ${quotedLog} where pgstrata_taken)`,
  );
  await client.query(`delete from ${quotedLog} where pgstrata_taken`);
  return taken.rowCount ?? 0;
}

async function copyPages(client: PoolClient, copy: RowCopy, { quotedLeaf, page }: Pages): Promise<number> {
  const { quotedTarget, quotedColumns, quotedKeys, quotedCondition } = partsOf(copy);
  const { rowCount } = await client.query(
    `insert into ${quotedTarget} (${quotedColumns}) overriding system value
     select ${quotedColumns} from only ${quotedLeaf} where ctid >= $1::pg_catalog.tid and ctid < $2::pg_catalog.tid and ${quotedCondition}
     on conflict (${quotedKeys}) do nothing`,
    [`(${page},0)`, `(${page + BATCH_PAGES},0)`],
  );
  return rowCount ?? 0;
}
