import type { Pool } from "pg";
import { askRows } from "../../../provider/apply/askRows.ts";
import type { FactBase } from "../../../provider/catalog/pgDelta.ts";
import { type Catalog, readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { type LayerPlan, planUpdate } from "../../../provider/plan/plan.ts";
import type { RowCheck, RowQuestion } from "../../../provider/plan/rowChecks/rowCheck.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const freshDatabase = freshDatabases();

/** Rows, and the SQL of a schema `app` before and after. */
export interface Sample {
  before: string;
  after: string;
  rows: string;
}

export interface Change {
  live: TestDatabase;
  before: Catalog;
  desired: FactBase;
}

/** A database with rows, and what is to become of it. */
export async function changeOf({ before, after, rows }: Sample): Promise<Change> {
  const [live, other] = await Promise.all([built(before), built(after)]);
  const [was, is] = await Promise.all([live, other].map(({ pool }) => readCatalog(pool, "postgres")));
  if (was === undefined || is === undefined) throw new Error("two catalogs were read");
  await live.query(rows);
  return { live, before: was, desired: is.facts };
}

export async function planOf({ live, before, desired }: Change): Promise<LayerPlan> {
  return planUpdate(live.pool, before, { live: before.facts, desired, renames: [], record: undefined });
}

/** The answers of the rows that are there. */
export const ask = async (
  change: Change,
  { timeoutMs = 2000, allMs, pool = change.live.pool }: { timeoutMs?: number; allMs?: number; pool?: Pool } = {},
): Promise<RowCheck[]> => askRows(pool, await planOf(change), timeoutMs, allMs);

/** What the rows answered, but for none. */
export const foundIn = (checks: readonly RowCheck[]): string[] =>
  checks.flatMap(({ question: { unit, obstacle, effect }, answer }) => {
    if (effect !== "refused" || answer.kind === "none") return [];
    if (answer.kind !== "found") return [`${JSON.stringify(answer)}: ${unit}s ${obstacle}`];
    return [`${answer.isMore ? "at least " : ""}${answer.count} ${unit}${answer.count === 1 ? "" : "s"} ${obstacle}`];
  });

/** Whether the server refuses the plan for the rows that are there. */
export async function isRefused(change: Change): Promise<boolean> {
  const { list } = await planOf(change);
  const client = await change.live.pool.connect();
  try {
    await client.query("begin");
    const isOfRows = /^CREATE UNIQUE INDEX| VALIDATE /;
    for (const { sql, transaction } of list.statements)
      if (transaction === "shared" || isOfRows.test(sql)) await client.query(sql.replace(" CONCURRENTLY ", " "));
    return false;
  } catch {
    return true;
  } finally {
    await client.query("rollback");
    client.release(true);
  }
}

async function built(sql: string): Promise<TestDatabase> {
  const database = await freshDatabase();
  await database.query(`create schema app; ${sql}`);
  return database;
}

/** By what a question's query lists rows. */
export async function listed(live: TestDatabase, { lists }: RowQuestion): Promise<string[]> {
  if (lists.startsWith("DO ")) return noticesOf(live, lists);
  const rows = await live.query<Record<string, unknown>>(lists);
  return rows.map((row) => String(Object.values(row)[0])).sort();
}

async function noticesOf({ pool }: TestDatabase, sql: string): Promise<string[]> {
  const client = await pool.connect();
  const notices: string[] = [];
  const hear = ({ message }: { message?: string | undefined }): void => void notices.push(message ?? "");
  client.on("notice", hear);
  try {
    await client.query(sql);
    return notices;
  } finally {
    client.off("notice", hear);
    client.release();
  }
}
