/**
 * `npm run bench:policies [-- <organizations>]`: what row-level security costs on an embedded Postgres 18
 * with 100 projects, credentials and audit entries for each organization, by default 1,000: none, permissive
 * and restrictive policies side by side. Prints a Markdown table of medians, and plans. Asserts nothing.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { withContext } from "../client/index.ts";
import { startEmbeddedServer } from "../provider/embedded/server.ts";
import { projectRoot } from "../tools/lib/paths.ts";

const ROUNDS = 400;
const SETS = {
  none: [],
  permissive: ["sql/rls/common", "sql/rls/permissive"],
  restrictive: ["sql/rls/common", "sql/rls/restrictive"],
};
const KEY = "a-key-for-measurements-0123456789-0123456789";

const organizations = Number(process.argv[2] ?? 1000);
const scratch = await mkdtemp(join(tmpdir(), "pgstrata-bench-"));
const server = await startEmbeddedServer({ directory: join(scratch, "server"), majorVersion: 18 });

/** What each page asks; `$1` is the user, the organization or the project. */
const id = (kind: string, n: number): string => `00000000-0000-4000-8000-${kind}${String(n).padStart(10, "0")}`;
const QUERIES: Record<string, [sql: string, value: string]> = {
  "list organizations": [
    "select o.id, o.name, m.role from platform.organization_members m join platform.organizations o on o.id = m.organization_id where m.user_id = $1",
    id("aa", 7),
  ],
  "list projects": ["select id, name, ref, status from platform.projects where organization_id = $1", id("bb", 7)],
  "read credentials": ["select anon_key from platform.credentials where project_id = $1", id("cc", 699)],
  "audit page": [
    "select id, event_type, action, created_at from platform.audit_logs where organization_id = $1 order by created_at desc limit 50",
    id("bb", 7),
  ],
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
  insert into platform.users (id, email) select ${uuid("aa", "n")}, 'user' || n || '@example.org' from generate_series(1, ${organizations}) n;
  insert into platform.organizations (id, name, slug) select ${uuid("bb", "n")}, 'Organization ' || n, 'organization-' || n from generate_series(1, ${organizations}) n;
  insert into platform.organization_members (organization_id, user_id, role)
    select ${uuid("bb", "o")}, ${uuid("aa", `(o + k * 37 - 1) % ${organizations} + 1`)}, case k when 0 then 'owner' else 'member' end
      from generate_series(1, ${organizations}) o, generate_series(0, 9) k;
  insert into platform.projects (id, organization_id, name, slug, ref, database_host, database_name, database_user, database_password, postgres_meta_url, supabase_url)
    select ${uuid("cc", "n")}, ${uuid("bb", "(n - 1) / 100 + 1")}, 'Project ' || n, 'project-' || n, 'project-' || n, 'h', 'd', 'u', 'none', 'http://m', 'http://s'
      from generate_series(1, ${organizations} * 100) n;
  insert into platform.credentials (project_id, anon_key, service_role_key, jwt_secret) select id, 'anon', 'service', 'jwt' from platform.projects;
  insert into platform.audit_logs (organization_id, event_type, action, created_at)
    select ${uuid("bb", "(n - 1) / 100 + 1")}, 'a.b', 'b', now() - n * interval '1 second' from generate_series(1, ${organizations} * 100) n;`;

async function run(database: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url(database) });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

try {
  for (const role of ["studio_app", "studio_readonly", "studio_system", "studio_decrypt"])
    await run("postgres", `create role ${role} login password 'none'`);
  await run("postgres", "create database seeded");
  await run("seeded", await sqlOf(["sql/platform", "sql/databases"]));
  await run("seeded", SEED);
  const pools: Record<string, pg.Pool> = {};
  for (const [name, folders] of Object.entries(SETS)) {
    await run("postgres", `create database ${name} template seeded`);
    await run(name, `${await sqlOf(folders)}`);
    await run(name, "vacuum analyze");
    const url = new URL(server.url(name));
    url.username = "studio_app";
    url.password = "none";
    pools[name] = new pg.Pool({ connectionString: url.href, max: 1 });
  }

  const user = { userId: id("aa", 7), organizationId: null };
  const within = (pool: pg.Pool, sql: string, value: string): Promise<pg.QueryResult> =>
    withContext(pool, user, ({ query }) => query(sql, [value]), { key: `gateway:${KEY}` });
  console.log(
    `${organizations} organizations, ${organizations * 100} projects; ${cpus()[0]?.model}, medians of ${ROUNDS}\n`,
  );
  console.log(
    "| query | rows | of a statement: none | permissive | restrictive | of a request: none | permissive | restrictive |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const [name, [sql, value]] of Object.entries(QUERIES)) {
    const statement: Record<string, number[]> = {};
    const request: Record<string, number[]> = {};
    let rows = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [set, pool] of Object.entries(pools)) {
        const whole = await timed(() =>
          withContext(
            pool,
            user,
            async ({ query }) => {
              const took = await timed(async () => {
                rows = (await query(sql, [value])).rows.length;
              });
              statement[set] = [...(statement[set] ?? []), took];
            },
            { key: `gateway:${KEY}` },
          ),
        );
        request[set] = [...(request[set] ?? []), whole];
      }
    }
    const cells = (times: Record<string, number[]>): string => {
      const none = median(times.none ?? []);
      return Object.values(times)
        .map(
          (each, n) =>
            `${median(each).toFixed(2)} ms${n === 0 ? "" : ` (${((median(each) / none - 1) * 100).toFixed(0)} %)`}`,
        )
        .join(" | ");
    };
    console.log(`| ${name} | ${rows} | ${cells(statement)} | ${cells(request)} |`);
  }
  for (const [name, [sql, value]] of Object.entries(QUERIES)) {
    const { restrictive } = pools;
    if (restrictive === undefined) continue;
    const { rows } = await within(
      restrictive,
      `explain (analyze, costs off, timing on) ${sql.replace("$1", `coalesce($1::uuid, '${value}')`)}`,
      value,
    );
    console.log(`\n${name}:\n${rows.map((row: Record<string, unknown>) => `    ${row["QUERY PLAN"]}`).join("\n")}`);
  }
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
} finally {
  await server.stop();
  await rm(scratch, { recursive: true, force: true });
}
