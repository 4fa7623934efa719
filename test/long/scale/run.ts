/**
 * `npm run test:scale`: generated schemas of 1,000 and 5,000 tables, in one layer and spread over 10, through
 * the real CLI on an embedded Postgres. Each step is checked against the catalog. Prints Markdown tables;
 * fails when something is not as it should be. `npm run test:scale -- 200` runs 200 tables only; `-- 1000/10`
 * one shape only.
 */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Stage } from "../../../provider/core/timing.ts";
import { startEmbeddedServer } from "../../../provider/embedded/server.ts";
import { createStackWorkspace, type StackWorkspace } from "../../support/cli.ts";
import { catalogCounts, expectedCounts } from "./catalogCounts.ts";
import { generatedLayers, programOf, type Size } from "./generatedSchema.ts";
import { PARTS, type Usage, withUsage } from "./usage.ts";

const SIZES: Size[] = [1000, 5000].flatMap((tables) => [1, 10].map((layers) => ({ tables, layers })));
const STAGES: Stage[] = ["start", "shadow", "extract", "plan", "rehearsal", "apply"];

/** Goals at 1,000 tables, in seconds. */
const GOALS: Record<string, number> = { up: 10, "no-op preview": 3.5, "one-column change": 4.5 };

/** One command of one shape. */
interface Step {
  name: string;
  wallMs: number;
  /** That a preview lists; a command without one lists none. */
  statements: number;
  usage: Usage;
  stages: Partial<Record<Stage, number>>;
}

const scratch = await mkdtemp(join(tmpdir(), "pgstrata-scale-"));
const server = await startEmbeddedServer({
  directory: join(scratch, "server"),
  majorVersion: 18,
  // What `npm start` gives its own server.
  settings: { max_locks_per_transaction: "1024" },
});
try {
  const [processor] = cpus();
  console.log(
    `Machine: ${cpus().length} × ${processor?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, PostgreSQL ${server.version}.\n`,
  );
  console.log("| tables | layers | what | goal | time | processor | statements | provider | program | CLI | state |");
  console.log("|---|---|---|---|---|---|---|---|---|---|---|");
  const all: { size: Size; steps: Step[] }[] = [];
  for (const size of asked()) all.push({ size, steps: await life(size) });
  console.log(`\n| tables | layers | where the time goes (ms) | rest | ${STAGES.join(" | ")} |`);
  console.log(`|---|---|---|---|${STAGES.map(() => "---|").join("")}`);
  for (const { size, steps } of all) for (const step of steps) printStages(size, step);
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}

function asked(): Size[] {
  const shapes = process.argv.slice(2);
  if (shapes.length === 0) return SIZES;
  return shapes.flatMap((shape) => {
    const [tables, layers] = shape.split("/").map(Number);
    if (tables === undefined || !Number.isInteger(tables))
      throw new Error(`${shape}: expected such as 1000 or 1000/10`);
    return (layers === undefined ? [1, 10] : [layers]).map((count) => ({ tables, layers: count }));
  });
}

/** All that a stack goes through, from an empty database to an empty database. */
async function life(size: Size): Promise<Step[]> {
  const database = `scale_${size.tables}_${size.layers}`;
  await onServer("postgres", (client) => client.query(`create database ${database}`));
  const layers = generatedLayers(size);
  const stack = await createStackWorkspace({
    config: { "pgstrata:scaleUrl": { secret: server.url(database) } },
    program: programOf(layers, "scaleUrl"),
  });
  const write = async (changed: boolean): Promise<void> => {
    for (const { files } of generatedLayers(size, { changed }))
      for (const [path, text] of Object.entries(files)) await stack.write(path, text);
  };
  const counts = () => onServer(database, catalogCounts);
  const steps: Step[] = [];
  const step = async (name: string, ...args: string[]): Promise<void> => {
    const measured = await measure(stack, name, args);
    steps.push(measured);
    print(size, measured, (await stack.stateText()).length);
  };
  try {
    await write(false);
    await step("first preview", "preview");
    // What the preview learned about the files is none of the update's merit.
    await rm(join(stack.directory, ".pgstrata", "cache"), { recursive: true, force: true });
    await step("up", "up", "--yes", "--skip-preview");
    assert.deepEqual(await counts(), expectedCounts(size));
    await step("no-op preview", "preview", "--expect-no-changes");
    await step("no-op up", "up", "--yes", "--skip-preview", "--expect-no-changes");

    await write(true);
    await step("one-column change, preview", "preview");
    await rm(join(stack.directory, ".pgstrata", "cache"), { recursive: true, force: true });
    await step("one-column change", "up", "--yes", "--skip-preview");
    assert.deepEqual(await counts(), expectedCounts(size, { changed: true }));
    await step("no-op preview after it", "preview", "--expect-no-changes");

    await step("destroy", "destroy", "--yes", "--skip-preview");
    assert.deepEqual(await counts(), expectedCounts({ tables: 0, layers: 0 }));
    return steps;
  } finally {
    await stack.remove();
  }
}

async function measure(stack: StackWorkspace, name: string, args: readonly string[]): Promise<Step> {
  const timings = await mkdtemp(join(scratch, "timings-"));
  stack.env.PGSTRATA_TIMINGS = timings;
  const started = performance.now();
  const { result, usage } = await withUsage(() => stack.succeed(...args));
  const wallMs = performance.now() - started;
  const stages: Partial<Record<Stage, number>> = {};
  const statements = result.stdout.match(/pgstrata:index:Change/g)?.length ?? 0;
  for (const file of await readdir(timings)) {
    const totals: Partial<Record<Stage, number>> = JSON.parse(await readFile(join(timings, file), "utf8"));
    for (const stage of STAGES) stages[stage] = (stages[stage] ?? 0) + (totals[stage] ?? 0);
  }
  return { name, wallMs, statements, usage, stages };
}

async function onServer<T>(database: string, task: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(server.url(database));
  await client.connect();
  try {
    return await task(client);
  } finally {
    await client.end();
  }
}

function print({ tables, layers }: Size, { name, wallMs, statements, usage }: Step, stateBytes: number): void {
  const goal = tables === 1000 && name in GOALS ? `≤ ${GOALS[name]} s` : "";
  const megabytes = PARTS.map((part) => {
    const bytes = usage.peaks[part];
    return bytes === undefined ? "–" : `${Math.round(bytes / 1e6)} MB`;
  });
  console.log(
    `| ${tables} | ${layers} | ${name} | ${goal} | ${(wallMs / 1000).toFixed(1)} s | ${(usage.processorMs / 1000).toFixed(1)} s | ${statements || ""} | ${megabytes.join(" | ")} | ${Math.round(stateBytes / 1000)} KB |`,
  );
}

function printStages({ tables, layers }: Size, { name, wallMs, stages }: Step): void {
  const known = STAGES.map((stage) => Math.round(stages[stage] ?? 0));
  const rest = Math.round(wallMs - known.reduce((sum, value) => sum + value, 0));
  console.log(`| ${tables} | ${layers} | ${name} | ${rest} | ${known.join(" | ")} |`);
}
