import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { inRun, project, put, up } from "../../support/layerHarness.ts";
import type { ClientTransaction, TrafficReport } from "./protocol.ts";
import { startTraffic } from "./traffic.ts";

/** One change of a layer on tables that hold rows and that clients work on. */
export interface Change {
  name: string;
  before: string;
  after: string;
  /** Approvals that it needs. */
  allow?: string[];
  /** How long clients may wait, where an approval says that it is longer than the lock timeout. */
  approvedMs?: number;
  /** Fills the tables. */
  rows: string;
  /** What the clients do; they use what stays. */
  transactions: ClientTransaction[];
  /** What a session does in a transaction that stays open longer than our patience. */
  blocker?: string;
}

/** What a change was to the clients. */
export interface Measured extends TrafficReport {
  name: string;
  tookMs: number;
  /** How often the update met a lock and ran its transaction again. */
  retries: number;
}

const CLIENTS = 8;
const CALM_MS = 300;
const SLACK_MS = 500;
/** By how much a transaction outlives two of our waits: who waits behind it all the time waits too long. */
const BEYOND_MS = 1500;

/** A table that no layer knows. */
const CONTROL =
  "create schema traffic; create table traffic.control (id int primary key, n int); insert into traffic.control values (1, 0)";
const control: ClientTransaction = { steps: ["update traffic.control set n = n + 1 where id = 1"] };

/** Runs a change by way of the provider while clients work on its tables. */
export async function measureChange(change: Change, lockTimeoutMs: number): Promise<Measured> {
  const { name, before, after, allow = [] } = change;
  return inDatabase(async (database) => {
    const state = await up(database.url, project.layer("traffic", before));
    await database.query(change.rows);
    let retries = 0;
    const measured = await underTraffic(database, change, lockTimeoutMs, () =>
      inRun(
        database.url,
        async (run) => {
          await put(run, project.layer("traffic", after, { allow }), state);
          retries = [...run.said.infos, ...run.said.statuses].filter((text) => / try \d+ follows/.test(text)).length;
        },
        { lockTimeoutMs, lockRetries: 200 },
      ),
    );
    return { name, ...measured, retries };
  });
}

/** Runs SQL as a person would who knows of none of this, while clients work on its tables. */
export async function measureByHand(change: Change, sql: string, lockTimeoutMs: number): Promise<Measured> {
  return inDatabase(async (database) => {
    await database.query(change.before);
    await database.query(change.rows);
    const measured = await underTraffic(database, change, lockTimeoutMs, () => database.query(sql));
    return { name: change.name, ...measured, retries: 0 };
  });
}

async function inDatabase<T>(work: (database: TestDatabase) => Promise<T>): Promise<T> {
  const database = await createTestDatabase();
  try {
    await database.query(CONTROL);
    for (const quiet of ["log_statement = 'none'", "log_min_duration_statement = -1"])
      await database.query(`alter database "${database.name}" set ${quiet}`);
    return await work(database);
  } finally {
    await database.drop();
  }
}

async function underTraffic(
  database: TestDatabase,
  { transactions, blocker }: Change,
  lockTimeoutMs: number,
  work: () => Promise<unknown>,
): Promise<TrafficReport & { tookMs: number }> {
  const traffic = await startTraffic({ url: database.url, clients: CLIENTS, transactions, control });
  await sleep(CALM_MS);
  const blocked = blocker === undefined ? undefined : await hold(database, blocker, 2 * lockTimeoutMs + BEYOND_MS);
  const started = performance.now();
  const outcome = await work().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const tookMs = performance.now() - started;
  await sleep(CALM_MS);
  const report = await traffic.stop();
  await blocked?.over;
  if (outcome !== undefined) throw outcome.error;
  return { ...report, tookMs };
}

/** Opens a transaction and leaves it open for a while. */
async function hold({ pool }: TestDatabase, sql: string, forMs: number): Promise<{ over: Promise<void> }> {
  const client = await pool.connect();
  await client.query(`begin; ${sql}`);
  const over = sleep(forMs).then(async () => {
    await client.query("commit");
    client.release();
  });
  return { over };
}

/**
 * Whether clients waited longer than the lock timeout, or than was approved, and some slack, less what the
 * machine kept everybody waiting for.
 */
export function keptWaiting({ longestMs, controlMs }: Measured, lockTimeoutMs: number, approvedMs = 0): boolean {
  return longestMs > Math.max(lockTimeoutMs, approvedMs) + SLACK_MS + controlMs;
}

/** A Markdown table. */
export function asTable(rows: readonly Measured[]): string {
  const round = (value: number): string => String(Math.round(value));
  return [
    "| change | longest wait of a client, ms | of a client elsewhere, ms | transactions | failed | retries | update took, ms |",
    "|---|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.name} | ${round(row.longestMs)} | ${round(row.controlMs)} | ${row.transactions} | ${row.failed.length} | ${row.retries} | ${round(row.tookMs)} |`,
    ),
  ].join("\n");
}
