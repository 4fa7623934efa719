/**
 * `npm run bench:rows [-- <rows>]`: how long a plan's questions take over a large table on an embedded
 * Postgres 18, by default ten million rows that all fit. Prints one Markdown table of medians. Asserts
 * nothing.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { askRows } from "../provider/apply/askRows.ts";
import { readCatalog } from "../provider/catalog/readCatalog.ts";
import { startEmbeddedServer } from "../provider/embedded/server.ts";
import { planUpdate } from "../provider/plan/plan.ts";
import type { RowAnswer } from "../provider/plan/rowChecks/rowCheck.ts";

const RUNS = 3;
const BEFORE =
  "create schema app; create table app.p (id int primary key); create table app.t (id int primary key, v int, name text, n numeric(12,2), k text);";
const AFTER =
  "create schema app; create table app.p (id int primary key); create table app.t (id int primary key, v int not null references app.p, name text unique, n numeric(11,1), k int, check (v > 0));";

const rows = Number(process.argv[2] ?? 10_000_000);
const scratch = await mkdtemp(join(tmpdir(), "pgstrata-bench-"));
const server = await startEmbeddedServer({ directory: join(scratch, "server"), majorVersion: 18 });

async function database(name: string, sql: string): Promise<pg.Pool> {
  const admin = new pg.Pool({ connectionString: server.url("postgres"), max: 1 });
  await admin.query(`create database ${name}`);
  await admin.end();
  const pool = new pg.Pool({ connectionString: server.url(name), max: 2, pipeline: true });
  await pool.query(sql);
  return pool;
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const shown = (answers: readonly RowAnswer[]): string => {
  const times = answers.map((answer) => ("elapsedMs" in answer ? answer.elapsedMs : 0));
  return `${answers[0]?.kind}, ${seconds(median(times))}`;
};

try {
  const live = await database("live", BEFORE);
  const desired = await database("desired", AFTER);
  await live.query(
    "insert into app.t select g, g, 'name ' || g, g % 1000, g::text from generate_series(1, $1::int) g",
    [rows],
  );
  await live.query("insert into app.p select generate_series(1, $1::int)", [rows]);
  await live.query("vacuum analyze");
  const [before, after] = [await readCatalog(live, "postgres"), await readCatalog(desired, "postgres")];
  const transition = { live: before.facts, desired: after.facts, renames: [], record: undefined };
  const plan = await planUpdate(live, before, transition);

  const measure = async (timeoutMs: number): Promise<{ answers: RowAnswer[][]; allMs: number }> => {
    const answers: RowAnswer[][] = plan.rowChecks.map(() => []);
    const walls: number[] = [];
    for (let n = 0; n < RUNS; n++) {
      const started = performance.now();
      for (const [place, { answer }] of (await askRows(live, plan, timeoutMs)).entries()) answers[place]?.push(answer);
      walls.push(performance.now() - started);
    }
    return { answers, allMs: median(walls) };
  };
  const [usual, long] = [await measure(2000), await measure(600_000)];
  console.log(
    `${rows.toLocaleString("en-US")} rows; machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, PostgreSQL ${before.serverVersion}; medians of ${RUNS}.\n`,
  );
  console.log("| rows | within 2 s | without a limit |\n|---|---|---|");
  for (const [place, { question }] of plan.rowChecks.entries())
    console.log(
      `| ${question.obstacle} | ${shown(usual.answers[place] ?? [])} | ${shown(long.answers[place] ?? [])} |`,
    );
  console.log(`| all | ${seconds(usual.allMs)} | ${seconds(long.allMs)} |`);
  await Promise.all([live.end(), desired.end()]);
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}
