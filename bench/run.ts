/**
 * `npm run bench`: whole-process wall times of the platform on an embedded Postgres 18, with the CLI as it is
 * set up, each as a multiple of an empty program's in the same round. Prints one Markdown table of medians
 * and one of where the time goes. Asserts nothing.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Stage } from "../provider/core/timing.ts";
import { startEmbeddedServer } from "../provider/embedded/server.ts";
import { createStackWorkspace, type StackWorkspace } from "../test/support/cli.ts";

const RUNS = 7;
const SQL = ["sql/platform", "sql/databases", "sql/rls/common", "sql/rls/permissive"];
const ROLES = ["studio_app", "studio_readonly", "studio_system", "studio_decrypt"];
const EMPTY_PROGRAM = "export {};\n";
const SDK_PROGRAM = 'import "@pulumi/pulumi";\nimport "@pulumi/random";\nimport "@pulumi/postgresql";\n';
const STAGES: Stage[] = ["start", "shadow", "extract", "plan", "rehearsal", "apply", "rows", "verification"];

/** One command's runs. */
interface Measured {
  name: string;
  /** The largest multiple of an empty program that is meant. */
  goal?: number;
  /** Milliseconds. */
  walls: number[];
  stages: Partial<Record<Stage, number>>[];
}

const root = join(import.meta.dirname, "..");
const scratch = await mkdtemp(join(tmpdir(), "pgstrata-bench-"));
const server = await startEmbeddedServer({ directory: join(scratch, "server"), majorVersion: 18 });

try {
  await benchmark();
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}

async function benchmark(): Promise<void> {
  const empty: Measured = { name: "preview of an empty program (the floor)", walls: [], stages: [] };
  const sdk: Measured = { name: "preview of a program that only imports the SDKs", walls: [], stages: [] };
  const first: Measured = { name: "first `pulumi up --skip-preview`", goal: 2.8, walls: [], stages: [] };
  const noop: Measured = { name: "`pulumi preview`, nothing to do", goal: 1.8, walls: [], stages: [] };
  const destroyed: Measured = { name: "`pulumi destroy --skip-preview`", goal: 1.8, walls: [], stages: [] };
  const direct: Measured = { name: "the layers' SQL in one transaction, by a plain client", walls: [], stages: [] };
  let stateBytes = 0;

  const bare = await createStackWorkspace({ program: EMPTY_PROGRAM });
  const importing = await createStackWorkspace({ program: SDK_PROGRAM });
  const workspace = await createStackWorkspace({
    config: { "pgstrata:databaseUrl": { secret: server.url("bench") }, "pgstrata:allowPlaceholders": "true" },
  });
  await onServer("create database bench");
  for (let n = 0; n <= RUNS; n++) {
    await measureDirect(direct, n > 0);
    await measure(bare, empty, n > 0, "preview");
    await measure(importing, sdk, n > 0, "preview");
    await measure(workspace, first, n > 0, "up", "--yes", "--skip-preview");
    stateBytes = (await workspace.stateText()).length;
    await measure(workspace, noop, n > 0, "preview", "--expect-no-changes");
    await measure(workspace, destroyed, n > 0, "destroy", "--yes", "--skip-preview");
  }
  for (const each of [workspace, bare, importing]) await each.remove();
  await report([empty, sdk, first, noop, destroyed, direct], stateBytes);
  const inDatabase = median(first.stages.map(({ apply = 0 }, n) => apply / (direct.walls[n] ?? Number.NaN)));
  console.log(
    `\nThe transactions of the layers take ${inDatabase.toFixed(2)} times as long as the same SQL by a plain client (goal ≤ 1.25).`,
  );
}

async function measure(
  workspace: StackWorkspace,
  measured: Measured,
  counts: boolean,
  ...args: string[]
): Promise<void> {
  const timings = await mkdtemp(join(scratch, "timings-"));
  workspace.env.PGSTRATA_TIMINGS = timings;
  const started = performance.now();
  await workspace.succeed(...args);
  const wall = performance.now() - started;
  if (!counts) return;
  measured.walls.push(wall);
  const stages: Partial<Record<Stage, number>> = {};
  for (const file of await readdir(timings)) {
    const process: Partial<Record<Stage, number>> = JSON.parse(await readFile(join(timings, file), "utf8"));
    for (const stage of STAGES) if (process[stage] !== undefined) stages[stage] = (stages[stage] ?? 0) + process[stage];
  }
  measured.stages.push(stages);
}

/** What `psql -1 -f` of the same files costs, without the start of a process. */
async function measureDirect(measured: Measured, counts: boolean): Promise<void> {
  for (const role of ROLES) await onServer(`create role ${role}`);
  const texts: string[] = [];
  for (const directory of SQL) {
    for (const name of (await readdir(join(root, directory))).sort())
      texts.push(await readFile(join(root, directory, name), "utf8"));
  }
  await onServer("create database direct");
  const client = new pg.Client(server.url("direct"));
  await client.connect();
  const started = performance.now();
  await client.query("begin");
  for (const text of texts) await client.query(text);
  await client.query("commit");
  if (counts) measured.walls.push(performance.now() - started);
  await client.end();
  await onServer("drop database direct");
  for (const role of ROLES) await onServer(`drop role ${role}`);
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client(server.url("postgres"));
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function report(all: Measured[], stateBytes: number): Promise<void> {
  const [processor] = cpus();
  console.log(
    `Machine: ${cpus().length} × ${processor?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, PostgreSQL ${server.version}; medians of ${RUNS}.\n`,
  );
  const best = await bestSoFar();
  const floor = all[0]?.walls ?? [];
  console.log("| what | × empty | goal | best so far | median | range |\n|---|---|---|---|---|---|");
  for (const { name, goal, walls } of all) {
    const times = median(walls.map((wall, n) => wall / (floor[n] ?? Number.NaN)));
    const known = Math.min(times, best.get(name) ?? times);
    const ratios = goal === undefined ? "| | |" : `${times.toFixed(2)} | ≤ ${goal} | ${known.toFixed(2)} |`;
    const range = `${seconds(Math.min(...walls))} – ${seconds(Math.max(...walls))}`;
    console.log(`| ${name} | ${ratios} ${seconds(median(walls))} | ${range} |`);
  }
  console.log(`\nThe state file after \`up\` has ${Math.round(stateBytes / 1000)} KB (goal ≤ 250 KB).\n`);
  console.log(
    `| where the time goes (ms) | CLI, program and Row plumbing | ${STAGES.join(" | ")} |\n|---|---|${STAGES.map(() => "---|").join("")}`,
  );
  for (const { name, walls, stages } of all) {
    if (stages.length === 0) continue;
    const medians = STAGES.map((stage) => Math.round(median(stages.map((run) => run[stage] ?? 0))));
    const rest = Math.round(median(walls) - medians.reduce((sum, value) => sum + value, 0));
    console.log(`| ${name} | ${rest} | ${medians.join(" | ")} |`);
  }
}

/** The least multiples that the documentation has, by name. */
async function bestSoFar(): Promise<Map<string, number>> {
  const text = await readFile(join(root, "docs", "benchmarks.md"), "utf8");
  const rows = text.matchAll(/^\| (.+?) \| [\d.]+ \| ≤ [\d.]+ \| ([\d.]+) \|/gm);
  return new Map([...rows].map(([, name = "", times]) => [name, Number(times)]));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function seconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(2)} s`;
}
