/** Updates that change what is stored of results, and what is found by an index of them. */
import { expect } from "vitest";
import type { ResourceState } from "../../provider/core/resourceType.ts";
import type { TestDatabase } from "./database.ts";
import { inRun, pending, preview, project, put, ROWS_UNASKED, sqlOf } from "./layerHarness.ts";

/** A database whose layer `shop` is as a state says. */
export interface Shop {
  database: TestDatabase;
  state: ResourceState;
}

/** Updates to `sql`, and requires that nothing is left to do then. Answers without the first statement. */
export async function changed(
  { database, state }: Shop,
  sql: string,
  allow: string[] = [],
): Promise<{ sql: string[]; warnings: string[] }> {
  const layer = project.layer("shop", sql, { allow });
  const [plan] = await preview(database.url, [layer], [state]);
  const warnings: string[] = [];
  const after = await inRun(database.url, async (run) => {
    const done = await put(run, layer, state);
    warnings.push(...run.said.warnings);
    return done;
  });
  expect(await pending(database.url, after)).toEqual([]);
  return { sql: sqlOf(plan).slice(1), warnings };
}

/** Updates without a preview, to rows that nobody has asked. */
export const updatedUnasked = ({ database, state }: Shop, sql: string): Promise<ResourceState> =>
  inRun(database.url, (run) => put(run, project.layer("shop", sql), state), ROWS_UNASKED);

/** Ids that a query finds by an index only. */
export async function byIndex({ pool }: TestDatabase, condition: string): Promise<number[]> {
  const client = await pool.connect();
  try {
    await client.query("set enable_seqscan = off; set enable_indexscan = on");
    const { rows } = await client.query<{ id: number }>(`select id from shop.item where ${condition} order by id`);
    return rows.map(({ id }) => id);
  } finally {
    client.release(true);
  }
}

/** A rebuild of the index `shop.graded` in the transaction. */
export const REBUILT = [
  expect.stringMatching(/^DO .* ALTER INDEX "shop"\."graded" RESET /),
  'REINDEX INDEX "shop"."graded"',
];
