/**
 * `npm run procedure [-- [--runs <n>] [--rows <n>]]`: times of the whole procedure, per stage, at seed size
 * and with many rows, on an embedded Postgres 18: gate, backup, update of three layers, verification, each
 * rollback, a restore.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { z } from "zod";
import { startEmbeddedServer } from "../../provider/embedded/server.ts";
import { findPgDump } from "../../test/support/pgDump.ts";
import { COUNTS, insertStatements } from "./rows.ts";
import { type Answered, createProcedureStack, type Deployed, type ProcedureStack } from "./stack.ts";
import { addTo, asTable, type Measured } from "./table.ts";

const rollback = z.object({ elapsedMs: z.number() });
const restored = z.object({ stages: z.array(z.object({ name: z.string(), seconds: z.number() })) });
const MINUTE_MS = 60_000;
const ROLLBACK_AIM_MS = 10_000;

const { values } = parseArgs({
  options: { runs: { type: "string", default: "3" }, rows: { type: "string", default: "1000000" } },
});
const [runs, rows] = [Number(values.runs), Number(values.rows)];
await findPgDump();
const scratch = await mkdtemp(join(tmpdir(), "pgstrata-procedure-"));
const server = await startEmbeddedServer({ directory: join(scratch, "server"), majorVersion: 18 });

try {
  console.log(
    `Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, PostgreSQL ${server.version}; ` +
      `at seed size medians of ${runs}, with ${rows.toLocaleString("en-US")} rows one run.\n`,
  );
  const seed: Measured[] = [];
  for (let n = 0; n < runs; n++) await procedure(seed, 0);
  const many: Measured[] = [];
  if (rows > 0) await procedure(many, rows);
  console.log(asTable(seed, many, rows));
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}

/** The whole procedure once, on a database of its own. */
async function procedure(measured: Measured[], more: number): Promise<void> {
  await onServer("create database procedure");
  const stack = await createProcedureStack(server.url("procedure"));
  try {
    noteDeploy(measured, "first update, empty database", await stack.deploy());
    for (const insert of insertStatements(more)) await stack.query(insert);
    if (more > 0) await stack.query("vacuum analyze");
    const before = await stack.query(COUNTS);
    await stack.changeLayers();
    noteDeploy(measured, "update of all three layers", await stack.deploy());

    await back(stack, measured, "rls", 2);
    await undo(stack, measured);
    await back(stack, measured, "databases", 1);
    await undo(stack, measured);
    await back(stack, measured, "both", 3);
    await undo(stack, measured);
    noteRollback(measured, "`rollback last`", await stack.command(rollback, "rollback", "last"), undefined);
    await restore(stack, measured);
    const after = await stack.query(COUNTS);
    if (JSON.stringify(after) !== JSON.stringify(before))
      throw new Error(`the rows are not as they were:\n${JSON.stringify(before)}\n${JSON.stringify(after)}`);
  } finally {
    await stack.remove();
    const left = await databases();
    for (const name of left) await onServer(`drop database ${pg.escapeIdentifier(name)} with (force)`);
    await onServer("drop role if exists studio_app, studio_readonly, studio_decrypt");
  }
}

function noteDeploy(measured: Measured[], what: string, { report, wallMs }: Answered<Deployed>): void {
  addTo(measured, { what, aimMs: 20_000, budgetMs: undefined }, wallMs);
  for (const { name, elapsedMs } of report.stages)
    addTo(measured, { what: `${what}: ${name}`, aimMs: undefined, budgetMs: undefined }, elapsedMs);
}

async function back(stack: ProcedureStack, measured: Measured[], component: string, minutes: number): Promise<void> {
  const answered = await stack.command(rollback, "rollback", component);
  noteRollback(measured, `\`rollback ${component}\``, answered, minutes);
}

async function undo(stack: ProcedureStack, measured: Measured[]): Promise<void> {
  noteRollback(measured, "`rollback undo`", await stack.command(rollback, "rollback", "undo"), undefined);
}

function noteRollback(
  measured: Measured[],
  what: string,
  { report, wallMs }: Answered<z.output<typeof rollback>>,
  minutes: number | undefined,
): void {
  const budgetMs = minutes === undefined ? undefined : minutes * MINUTE_MS;
  addTo(measured, { what: `${what}, from its question on`, aimMs: ROLLBACK_AIM_MS, budgetMs }, report.elapsedMs);
  addTo(measured, { what: `${what}, whole command`, aimMs: undefined, budgetMs: undefined }, wallMs);
}

async function restore(stack: ProcedureStack, measured: Measured[]): Promise<void> {
  const { report, wallMs } = await stack.command(restored, "restore", "latest");
  addTo(measured, { what: "`restore latest`", aimMs: undefined, budgetMs: 20 * MINUTE_MS }, wallMs);
  for (const { name, seconds } of report.stages)
    addTo(measured, { what: `\`restore latest\`: ${name}`, aimMs: undefined, budgetMs: undefined }, seconds * 1000);
}

/** The database of the procedure, and those that a restore has kept. */
async function databases(): Promise<string[]> {
  const found = await onServer("select datname from pg_database where datname ^@ 'procedure'");
  return found.map(({ datname }) => String(datname));
}

async function onServer(sql: string): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client(server.url("postgres"));
  await client.connect();
  try {
    return (await client.query<pg.QueryResultRow>(sql)).rows;
  } finally {
    await client.end();
  }
}
