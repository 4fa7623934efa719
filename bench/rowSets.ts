/**
 * `npm run bench:rowset [-- <megabytes>]`: how long a set of 10,000 rows takes on an embedded Postgres 18,
 * made, compared and changed, and how much memory a large file takes, by default one of 200 MB. Prints
 * Markdown tables of medians. Asserts nothing.
 */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import pg from "pg";
import type { CallContext, Properties, ResourceState } from "../provider/core/resourceType.ts";
import { startEmbeddedServer } from "../provider/embedded/server.ts";
import { parseConfig } from "../provider/resources/provider/inputs.ts";
import { createRows } from "../provider/resources/rows/rows.ts";
import { createSession } from "../provider/resources/session.ts";

const RUNS = 5;
const ROWS = 10_000;
/** Of one line of the large file. */
const LINE_BYTES = 200;

const megabytes = Number(process.argv[2] ?? 200);
const scratch = await mkdtemp(join(tmpdir(), "pgstrata-bench-"));
const server = await startEmbeddedServer({ directory: join(scratch, "server"), majorVersion: 18 });
const session = createSession(parseConfig({ url: server.url("postgres") }).config);
const rows = createRows(session, scratch);
const silence = (): void => {};
const context: CallContext = {
  urn: "",
  preview: false,
  signal: new AbortController().signal,
  report: { info: silence, warn: silence, status: silence, plan: async () => {} },
};

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

async function writeSet(name: string, count: number, bytes: number, mark: string): Promise<Properties> {
  const out = createWriteStream(join(scratch, name));
  out.write("id,name,at,amount,doc\n");
  for (let n = 0; n < count; n += 1) {
    const line = `${n},"${mark} ${n} ${"x".repeat(bytes)}",2024-05-06 07:08:09+00,${n}.50,"{""a"": ${n}}"\n`;
    if (!out.write(line)) await once(out, "drain");
  }
  await finished(out.end());
  return { table: "app.things", key: ["id"], file: name };
}

interface Took {
  wallMs: number;
  /** Of this process, which is the provider; the server's is not in it. */
  processorMs: number;
}

async function timed<T>(work: () => Promise<T>): Promise<[Took, T]> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [{ wallMs: performance.now() - started, processorMs: (user + system) / 1000 }, result];
}

/** Highest resident memory while something runs, in MB. */
async function watched<T>(work: () => Promise<T>): Promise<[number, T]> {
  let highest = 0;
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, 20);
  const result = await work();
  clearInterval(timer);
  return [Math.round(highest / 2 ** 20), result];
}

const stateOf = (inputs: Properties, { id, outputs }: { id: string; outputs: Properties }): ResourceState => ({
  id,
  inputs,
  outputs,
});

try {
  const pool = new pg.Pool({ connectionString: server.url("postgres"), max: 1 });
  await pool.query(
    "create schema app; create table app.things (id int primary key, name text, at timestamptz, amount numeric, doc jsonb)",
  );
  const times: Record<string, Took[]> = {};
  const note = (what: string, took: Took): void => {
    times[what] = [...(times[what] ?? []), took];
  };
  let state: ResourceState | undefined;
  for (let n = 0; n < RUNS; n += 1) {
    const inputs = await writeSet("small.csv", ROWS, 20, "row");
    const [made, created] = await timed(() => rows.create(context, inputs));
    state = stateOf(inputs, created);
    const before = state;
    note("make", made);
    note("find nothing to do", (await timed(() => rows.diff(context, before, inputs)))[0]);
    await writeSet("small.csv", ROWS, 20, "changed");
    note("change each", (await timed(() => rows.update(context, before, inputs)))[0]);
    note("delete them", (await timed(() => rows.delete(context, before)))[0]);
  }
  const [{ version } = { version: "" }] = (
    await pool.query<{ version: string }>("select pg_catalog.current_setting('server_version') as version")
  ).rows;
  console.log(
    `Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, PostgreSQL ${version}; medians of ${RUNS}.\n`,
  );
  console.log("| a set of 10,000 rows | time | processor, of the provider |\n|---|---|---|");
  for (const [what, all] of Object.entries(times)) {
    const of = (part: keyof Took): string => seconds(median(all.map((took) => took[part])));
    console.log(`| ${what} | ${of("wallMs")} | ${of("processorMs")} |`);
  }
  console.log(`| size in the state | ${Math.round(String(state?.outputs.made).length / 1000)} KB | |`);

  const count = Math.ceil((megabytes * 1e6) / LINE_BYTES);
  const large = await writeSet("large.csv", count, LINE_BYTES - 75, "row");
  const size = Math.round((await stat(join(scratch, "large.csv"))).size / 1e6);
  const idle = Math.round(process.memoryUsage.rss() / 2 ** 20);
  const [peak, [made, created]] = await watched(() => timed(() => rows.create(context, large)));
  const big = stateOf(large, created);
  const [same, [nothing]] = await watched(() => timed(() => rows.diff(context, big, large)));
  console.log(
    `\n| a file of ${size} MB, ${count.toLocaleString("en-US")} rows | time | memory of the provider |\n|---|---|---|`,
  );
  console.log(`| before |  | ${idle} MB |`);
  console.log(`| make | ${seconds(made.wallMs)} | ${peak} MB |`);
  console.log(`| find nothing to do | ${seconds(nothing.wallMs)} | ${same} MB |`);
  console.log(`| size in the state | | ${(String(big.outputs.made).length / 1e6).toFixed(1)} MB |`);
  await pool.end();
} finally {
  await session.close();
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}
