import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UNWATCHED, WATCHED } from "../../../provider/catalog/additions.ts";
import { extractOnTwoConnections } from "../../../provider/catalog/parallelExtract.ts";
import { contentHash, encodeId } from "../../../provider/catalog/pgDelta.ts";
import { LiveCatalog } from "../../../provider/resources/layer/catalogCache.ts";
import { sqlStatements } from "../../../provider/shadow/sqlStatements.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";

/** Other tests make roles, and leave transactions open, on theirs. */
let server: TestServer;
let database: TestDatabase;
/** Reads again and again, and so only what is new; its questions since the last reading. */
let again: pg.Pool;
let asked: string[] = [];

beforeAll(async () => {
  server = await startTestServer();
  database = await createTestDatabase({ server: server.url("postgres") });
  // So many that it is worth it.
  await database.query(`create schema filler`);
  await database.query(
    "do $$ begin for n in 1..700 loop execute format('create table filler.t%s ()', n); end loop; end $$",
  );
  again = new pg.Pool({ connectionString: database.url, max: 1 });
  again.on("error", () => {});
  again.on("connect", (client) => {
    client.on("error", () => {});
    const query = client.query.bind(client);
    const noted = (given: string | { text: string }, ...more: unknown[]): unknown => {
      asked.push(typeof given === "string" ? given : given.text);
      return Reflect.apply(query, client, [given, ...more]);
    };
    Object.assign(client, { query: noted });
  });
});
afterAll(async () => {
  await again.end();
  await database.drop();
  await server.stop();
});

const content = async (pool: pg.Pool, dependencies: boolean): Promise<string[]> => {
  const options = { dependencies };
  const { factBase } = await extractOnTwoConnections(pool, "select 1", () => undefined, options);
  // Roles belong to the whole server, on which other tests make some.
  const facts = factBase.facts().filter(({ id }) => id.kind !== "role" && id.kind !== "membership");
  return [
    ...facts.map(({ id, parent, payload }) => {
      const metadata = Object.entries(payload).filter(([name]) => name.startsWith("_"));
      return `${encodeId(id)} in ${parent && encodeId(parent)} ${contentHash(payload)} ${JSON.stringify(metadata)}`;
    }),
    ...factBase.edges.map(({ from, to, kind }) => `${kind} ${encodeId(from)} > ${encodeId(to)}`),
  ].sort();
};

const way = (): "what is new" | "all" => (asked.some((sql) => sql.includes("<> ALL ($1)")) ? "what is new" : "all");

/** Compares what is read by what is new with what a pool reads that knows nothing. */
async function compared(dependencies = true): Promise<"what is new" | "all"> {
  const fresh = new pg.Pool({ connectionString: database.url, max: 1 });
  try {
    asked = [];
    const found = await content(again, dependencies);
    expect(found).toEqual(await content(fresh, dependencies));
    return way();
  } finally {
    await fresh.end();
  }
}

/** Each alone would take five times as long and find the same. */
const TOGETHER = 5;

const statementsOf = (sql: string): string[] => sqlStatements(sql).map(({ start, end }) => sql.slice(start, end));

test("after each object of each kind, reading what is new finds what reading all finds", async () => {
  await compared();
  const sql = readFileSync(join(import.meta.dirname, "..", "..", "support", "everyKind.sql"), "utf8");
  const ways = new Map<string, number>();
  const statements = statementsOf(sql);
  for (let n = 0; n < statements.length; n += TOGETHER) {
    for (const statement of statements.slice(n, n + TOGETHER)) await database.query(statement);
    const found = await compared();
    ways.set(found, (ways.get(found) ?? 0) + 1);
  }
  expect(ways.get("what is new")).toBeGreaterThan(5);
}, 120_000);

/** In a schema of its own, on what is there; and whether to read what is new is enough. */
const MORE: [sql: string, way: "what is new" | "all"][] = [
  ["select 1", "what is new"],
  ["create schema other; create table other.t (id int primary key, mood app.mood default 'ok')", "what is new"],
  ["create view other.v as select p.id, t.mood from app.parents p join other.t t on t.id = p.id", "what is new"],
  ["create policy p on other.t using (exists (select from app.quick q where q.id = t.id))", "what is new"],
  ["create table other.u (id int primary key, t int references other.t, p bigint references app.parents)", "all"],
  ["create table other.w (id int primary key references other.t)", "what is new"],
  ["create function other.f() returns app.mood language sql begin atomic select 'ok'::app.mood; end", "what is new"],
  ["create index on app.base (note)", "what is new"],
  ["create index on app.parted (day)", "all"],
  ["alter type app.mood add value 'angry'", "what is new"],
  ["alter type app.mood rename value 'angry' to 'cross'", "all"],
  ["alter type app.mood rename to humour", "all"],
  ["comment on table other.t is 'here'; comment on schema other is 'more'", "what is new"],
  ["comment on column app.children.other is 'the other one'", "what is new"],
  ["comment on policy p on other.t is 'of all'", "all"],
  ["create sequence other.s", "what is new"],
  ["alter sequence other.s owned by other.t.id", "all"],
  ["alter table app.quick add column more text", "all"],
  ["alter table app.quick rename to fast", "all"],
  ["grant select on app.children to public", "all"],
  ["alter default privileges in schema other grant select on tables to public", "what is new"],
  ["create publication p for table other.t", "what is new"],
  ["create cast (app.pair as int) with inout", "all"],
  ["alter extension citext add table other.w", "all"],
  ["create table other.child () inherits (app.base)", "all"],
  ["drop policy p on other.t", "all"],
  ["create table other.kept (id int); drop table other.kept", "what is new"],
  ["drop view other.v", "all"],
  ["drop schema other cascade", "all"],
];

test("what changes, names or takes away something is read by reading all, and what is only new by that", async () => {
  await compared();
  for (const [sql, expected] of MORE) {
    await database.query(sql);
    expect([sql, await compared()]).toEqual([sql, expected]);
  }
}, 120_000);

test("without dependencies it is the same", async () => {
  await compared(false);
  await database.query("create schema another; create table another.t (id int primary key)");
  expect(await compared(false)).toBe("what is new");
  await database.query("drop table another.t");
  expect(await compared(false)).toBe("all");
});

test("what a transaction makes that began before a reading is new after it", async () => {
  const other = new pg.Client(database.url);
  await other.connect();
  await other.query("begin; create table another.early (id int)");
  await database.query("create table another.meanwhile (id int)");
  await compared();
  await other.query("commit");
  await compared();
  await other.query("begin; savepoint a; alter table another.early add column x int; release a");
  await compared();
  await other.query("commit");
  expect(await compared()).toBe("all");
  await other.end();
});

test("what came while an older transaction was open, and goes, is gone", async () => {
  await database.query("create schema if not exists another; create schema old_one");
  await compared();
  const other = new pg.Client(database.url);
  await other.connect();
  await other.query("begin; create temp table holds_back (id int)");
  await database.query("create table old_one.came (id int)");
  await compared();
  await database.query("drop table old_one.came");
  await compared();
  await other.query("rollback");
  await compared();
  await other.end();
});

test("after an update that failed all is read", async () => {
  const live = new LiveCatalog(
    async () => ({ pool: again, owner: "nobody" }),
    (read) => read(),
  );
  await live.get();
  asked = [];
  await live.refresh();
  expect(way()).toBe("what is new");
  live.forget();
  asked = [];
  await live.get();
  expect(way()).toBe("all");
});

test("each catalog of the server is watched, or known to say nothing of a fact", async () => {
  const rows = await database.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by 1",
  );
  expect(rows.map(({ name }) => name)).toEqual([...WATCHED, ...UNWATCHED].sort());
});
