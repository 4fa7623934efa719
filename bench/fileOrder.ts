/**
 * `npm run bench:order [-- <tables> [<runs>]]`: what the order of a layer's statements costs an embedded
 * shadow, in medians; in parentheses the server's processor time (Linux). Asserts nothing.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { embeddedShadow } from "../provider/shadow/embedded.ts";
import { loadSql } from "../provider/shadow/loadSql.ts";

const RUNS = Number(process.argv[3] ?? 3);
const most = Number(process.argv[2] ?? 5000);

const statementsOf = (n: number): string[] => [
  `create table app.t${n} (id int primary key, name text not null, state int default ${n}${n === 0 ? "" : `, before int references app.t${n - 1}`});`,
  `create index t${n}_name on app.t${n} (name);`,
  `alter table app.t${n} enable row level security;`,
  `create policy own on app.t${n} using (state > 0);`,
  `comment on table app.t${n} is 'one of many';`,
];

const schemaOf = (tables: number): string[] => [
  "create schema app;",
  ...Array.from({ length: tables }, (_, n) => statementsOf(n)).flat(),
];

const inParts = (statements: readonly string[], parts: number): string[] => {
  const size = Math.ceil(statements.length / parts);
  return Array.from({ length: parts }, (_, n) => statements.slice(n * size, (n + 1) * size).join("\n"));
};

const ORDERS: [string, (statements: string[]) => string[]][] = [
  ["each after what it needs", (statements) => inParts(statements, 1)],
  ["the last first", (statements) => inParts(statements.reverse(), 1)],
  ["the last first, over ten files", (statements) => inParts(statements.reverse(), 10)],
  [
    "each after what it needs, one missing at the end",
    (statements) => inParts([...statements, "comment on table app.none is 'x';"], 1),
  ],
];

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

interface Measured {
  elapsed: number;
  processor: number;
}

/** Milliseconds of processor time that a process has used; a tick is 10 ms. */
const processorTime = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

const scratch = await mkdtemp(join(tmpdir(), "pgstrata-bench-"));
const shadow = embeddedShadow(join(scratch, "server"), 18, "18");
try {
  const measure = async (files: readonly string[]): Promise<Measured> => {
    const database = await shadow.create({ owner: "bench", roles: [] });
    const client = await database.pool.connect();
    const { rows } = await client.query<{ pid: number }>("select pg_catalog.pg_backend_pid() as pid");
    const pid = rows[0]?.pid ?? 0;
    const [started, used] = [performance.now(), processorTime(pid)];
    await loadSql(
      client,
      files.map((sql, n) => ({ path: `${n}.sql`, sql })),
    ).catch((error: unknown) => {
      if (!/app\.none/.test(String(error))) throw error;
    });
    const measured = { elapsed: performance.now() - started, processor: processorTime(pid) - used };
    client.release(true);
    await database.drop();
    return measured;
  };
  console.log(
    `Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; medians of ${RUNS}.\n`,
  );
  const sizes = [most / 5, most];
  console.log(`| order | ${sizes.map((size) => `${size} tables`).join(" | ")} |\n|---|---|---|`);
  for (const [order, arrange] of ORDERS) {
    const times: string[] = [];
    for (const size of sizes) {
      const runs: Measured[] = [];
      for (let n = 0; n < RUNS; n++) runs.push(await measure(arrange(schemaOf(size))));
      const [elapsed, processor] = (["elapsed", "processor"] as const).map((key) =>
        median(runs.map((run) => run[key])),
      );
      times.push(`${seconds(elapsed ?? 0)} (${seconds(processor ?? 0)})`);
    }
    console.log(`| ${order} | ${times.join(" | ")} |`);
  }
} finally {
  await shadow.stop();
  await rm(scratch, { recursive: true, force: true });
}
