/**
 * `npm run bench:policies [-- <rows>]`: what row-level security costs on an embedded Postgres 18 with 1,000
 * organizations and <rows> projects, credentials and audit entries, by default 100,000: none, permissive and
 * restrictive policies in turn. Prints Markdown tables, and plans. Asserts nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type ContextClient, type NamedQuery, withContext } from "../client/index.ts";
import { startEmbeddedServer } from "../provider/embedded/server.ts";
import { projectRoot } from "../tools/lib/paths.ts";

const ROUNDS = 400;
const ORGANIZATIONS = 1000;
const MEMBERSHIPS = 10;
const SETS = {
  none: [],
  permissive: ["sql/rls/common", "sql/rls/permissive"],
  restrictive: ["sql/rls/common", "sql/rls/restrictive"],
};
type SetName = keyof typeof SETS;
const KEY = "a-key-for-measurements-0123456789-0123456789";

const rows = Number(process.argv[2] ?? 100_000);
const each = rows / ORGANIZATIONS;
const scratch = await mkdtemp(join(tmpdir(), "pgstrata-bench-"));
const settings = { fsync: "off", autovacuum: "off", shared_buffers: "512MB", max_wal_size: "4GB" };
const server = await startEmbeddedServer({ directory: join(scratch, "server"), majorVersion: 18, settings });

/** What each page asks; `$1` is the user, the organization or the project. */
const id = (kind: string, n: number): string => `00000000-0000-4000-8000-${kind}${String(n).padStart(10, "0")}`;
const LIST_PROJECTS = "select id, name, ref, status from platform.projects where organization_id = $1";
const QUERIES: Record<string, NamedQuery> = {
  "list organizations": {
    name: "organizations",
    text: "select o.id, o.name, m.role from platform.organization_members m join platform.organizations o on o.id = m.organization_id where m.user_id = $1",
    values: [id("aa", 7)],
  },
  "list projects": { name: "projects", text: LIST_PROJECTS, values: [id("bb", 7)] },
  "one project": { name: "one project", text: `${LIST_PROJECTS} limit 1`, values: [id("bb", 7)] },
  "read credentials": {
    name: "credentials",
    text: "select anon_key from platform.credentials where project_id = $1",
    values: [id("cc", 6 * each + 5)],
  },
  "audit page": {
    name: "audit",
    text: "select id, event_type, action, created_at from platform.audit_logs where organization_id = $1 order by created_at desc limit 50",
    values: [id("bb", 7)],
  },
};

async function sqlOf(folders: readonly string[]): Promise<string> {
  const texts = folders.map(async (folder) => {
    const names = (await readdir(join(projectRoot, folder))).sort();
    return (await Promise.all(names.map((name) => readFile(join(projectRoot, folder, name), "utf8")))).join("\n");
  });
  return (await Promise.all(texts)).join("\n");
}

const uuid = (kind: string, n: string): string =>
  `('00000000-0000-4000-8000-${kind}' || lpad((${n})::text, 10, '0'))::uuid`;
const SEED = `
  insert into platform_access.context_keys (name, key) values ('gateway', '${KEY}');
  insert into platform.users (id, email) select ${uuid("aa", "n")}, 'user' || n || '@example.org' from generate_series(1, ${ORGANIZATIONS}) n;
  insert into platform.organizations (id, name, slug) select ${uuid("bb", "n")}, 'Organization ' || n, 'organization-' || n from generate_series(1, ${ORGANIZATIONS}) n;
  insert into platform.organization_members (organization_id, user_id, role)
    select ${uuid("bb", "o")}, ${uuid("aa", `(o + k * 37 - 1) % ${ORGANIZATIONS} + 1`)}, case k when 0 then 'owner' else 'member' end
      from generate_series(1, ${ORGANIZATIONS}) o, generate_series(0, ${MEMBERSHIPS - 1}) k;
  insert into platform.projects (id, organization_id, name, slug, ref, database_host, database_name, database_user, database_password, postgres_meta_url, supabase_url)
    select ${uuid("cc", "n")}, ${uuid("bb", `(n - 1) / ${each} + 1`)}, 'Project ' || n, 'project-' || n, 'project-' || n, 'h', 'd', 'u', 'none', 'http://m', 'http://s'
      from generate_series(1, ${rows}) n;
  insert into platform.credentials (project_id, anon_key, service_role_key, jwt_secret) select id, 'anon', 'service', 'jwt' from platform.projects;
  insert into platform.audit_logs (organization_id, event_type, action, created_at)
    select ${uuid("bb", `(n - 1) / ${each} + 1`)}, 'a.b', 'b', now() - n * interval '1 second' from generate_series(1, ${rows}) n;`;

async function run(database: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url(database) });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** The lowest tenth: what is above it is as much the other work of the machine. */
const undisturbed = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0;

/** Microseconds at the clock, and of the server process on a processor where the system tells (Linux). */
interface Cost {
  clock: number;
  processor: number;
}

const processorTime = (pid: number): number => {
  const file = `/proc/${pid}/schedstat`;
  return existsSync(file) ? Number(readFileSync(file, "utf8").split(" ")[0]) / 1000 : Number.NaN;
};

async function cost(pid: number, work: () => Promise<unknown>): Promise<Cost> {
  const [started, busy] = [performance.now(), processorTime(pid)];
  await work();
  return { clock: (performance.now() - started) * 1000, processor: processorTime(pid) - busy };
}

interface Side {
  pool: pg.Pool;
  pid: number;
}
/** Of one statement within its transaction, and of the whole request around it. */
interface Figures {
  statement: Cost[];
  request: Cost[];
}

const user = { userId: id("aa", 7), organizationId: null };
const within = <T>({ pool }: Side, work: (client: ContextClient) => Promise<T>): Promise<T> =>
  withContext(pool, user, work, { key: `gateway:${KEY}` });

/** As drivers send it: planned for each execution, or prepared under a name. */
async function request(side: Side, asked: NamedQuery, isNamed: boolean, into: Figures): Promise<number> {
  const { text, values } = asked;
  let found = 0;
  const whole = await cost(side.pid, () =>
    within(side, async ({ query }) => {
      const ask = async (): Promise<void> => {
        found = (await (isNamed ? query(asked) : query(text, values))).rows.length;
      };
      into.statement.push(await cost(side.pid, ask));
    }),
  );
  into.request.push(whole);
  return found;
}

type Table = Record<SetName, Figures>;
const SET_NAMES: readonly SetName[] = ["none", "permissive", "restrictive"];
const emptyTable = (): Table => ({
  none: { statement: [], request: [] },
  permissive: { statement: [], request: [] },
  restrictive: { statement: [], request: [] },
});

function cells(table: Table, of: keyof Figures, what: keyof Cost): string {
  const figures = SET_NAMES.map((name) => undisturbed(table[name][of].map((one) => one[what])));
  const [none = 0] = figures;
  return figures
    .map((each, n) => `${each.toFixed(0)}${n === 0 ? "" : ` (${((each / none - 1) * 100).toFixed(0)} %)`}`)
    .join(" | ");
}

async function side(name: SetName): Promise<Side> {
  const url = new URL(server.url(name));
  url.username = "studio_app";
  url.password = "none";
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  // Where a measurement fails, the server stops first: the failure is what is told.
  pool.on("error", () => {});
  const { rows } = await pool.query<{ pid: number }>("select pg_backend_pid() as pid");
  return { pool, pid: rows[0]?.pid ?? 0 };
}

async function main(): Promise<void> {
  for (const role of ["studio_app", "studio_readonly", "studio_system", "studio_decrypt"])
    await run("postgres", `create role ${role} login password 'none'`);
  await run("postgres", "create database none");
  await run("none", await sqlOf(["sql/platform", "sql/databases"]));
  await run("none", SEED);
  await run("none", "vacuum analyze");
  for (const name of ["permissive", "restrictive"] as const) {
    await run("postgres", `create database ${name} template none strategy file_copy`);
    await run(name, await sqlOf(SETS[name]));
    await run(name, "analyze");
  }
  const sides: Record<SetName, Side> = {
    none: await side("none"),
    permissive: await side("permissive"),
    restrictive: await side("restrictive"),
  };

  console.log(
    `${rows} rows over ${ORGANIZATIONS} organizations; ${cpus().length} × ${cpus()[0]?.model}, load average ${loadavg()[0]?.toFixed(1)}; microseconds, the lowest tenth of ${ROUNDS}\n`,
  );
  console.log(
    "| query | rows | sent | processor: none | permissive | restrictive | client: none | permissive | restrictive | request: none | permissive | restrictive |",
  );
  console.log("|---|---|---|---|---|---|---|---|---|---|---|---|");
  for (const [title, asked] of Object.entries(QUERIES)) {
    const [planned, named] = [emptyTable(), emptyTable()];
    let found = 0;
    for (let round = 0; round < ROUNDS; round += 1)
      for (const name of SET_NAMES) {
        found = await request(sides[name], asked, false, planned[name]);
        await request(sides[name], asked, true, named[name]);
      }
    for (const [sent, table] of Object.entries({ planned, prepared: named }))
      console.log(
        `| ${title} | ${found} | ${sent} | ${cells(table, "statement", "processor")} | ${cells(table, "statement", "clock")} | ${cells(table, "request", "clock")} |`,
      );
  }
  await transactions(sides);
  await plans(sides.restrictive);
  await Promise.all(SET_NAMES.map((name) => sides[name].pool.end()));
}

/** What a transaction costs that asks nothing, and what the first statement of one costs more than others. */
async function transactions(sides: Record<SetName, Side>): Promise<void> {
  const { "one project": asked } = QUERIES;
  if (asked === undefined) return;
  const bare: Cost[] = [];
  const signed: Cost[] = [];
  const repeated: Record<SetName, Cost[][]> = { none: [], permissive: [], restrictive: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const { pool, pid } = sides.restrictive;
    bare.push(await cost(pid, () => pool.query("begin").then(() => pool.query("commit"))));
    signed.push(await cost(pid, () => within(sides.restrictive, async () => {})));
    for (const name of SET_NAMES)
      await within(sides[name], async ({ query }) => {
        for (let n = 0; n < 3; n += 1) {
          const one = await cost(sides[name].pid, () => query(asked));
          repeated[name][n] = [...(repeated[name][n] ?? []), one];
        }
      });
  }
  const shown = (costs: readonly Cost[] = []): string =>
    `${undisturbed(costs.map(({ processor }) => processor)).toFixed(0)} | ${undisturbed(costs.map(({ clock }) => clock)).toFixed(0)}`;
  console.log("\n| a transaction | processor | client |\n|---|---|---|");
  console.log(`| without a context, empty | ${shown(bare)} |`);
  console.log(`| by withContext, empty | ${shown(signed)} |`);
  for (const name of SET_NAMES)
    repeated[name].forEach((costs, n) => {
      console.log(`| statement ${n + 1} of three, prepared, one row, ${name} | ${shown(costs)} |`);
    });
}

async function plans(side: Side): Promise<void> {
  for (const [title, { text, values }] of Object.entries(QUERIES)) {
    const sql = `explain (analyze, buffers, costs off) ${text.replace("$1", `coalesce($1::uuid, '${values?.[0]}')`)}`;
    const { rows } = await within(side, ({ query }) => query<{ "QUERY PLAN": string }>(sql, values));
    console.log(`\n${title}:\n${rows.map((row) => `    ${row["QUERY PLAN"]}`).join("\n")}`);
  }
}

try {
  await main();
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}
