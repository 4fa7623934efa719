import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Mark, type Standing, standing, UNWATCHED, WATCHED } from "../../../provider/catalog/additions.ts";
import type { ExtractionOptions } from "../../../provider/catalog/parallelExtract.ts";
import { LiveCatalog } from "../../../provider/resources/layer/catalogCache.ts";
import { sqlStatements } from "../../../provider/shadow/sqlStatements.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type Readings, readingsOf, type Way } from "../../support/readings.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";

/** Other tests make roles, and leave transactions open, on theirs. */
let server: TestServer;
let database: TestDatabase;
let readings: Readings;

beforeAll(async () => {
  server = await startTestServer({ max_prepared_transactions: "2", allow_in_place_tablespaces: "on" });
  database = await createTestDatabase({ server: server.url("postgres") });
  readings = readingsOf(database.url);
});
afterAll(async () => {
  await readings.end();
  await server.stop();
});

/** Compares what is read by what is new with what is read by reading all. */
async function compared(options: ExtractionOptions = {}): Promise<Way | undefined> {
  const both = await readings.both(options);
  expect(both?.found).toEqual(both?.expected);
  return both?.way;
}

/** Each alone would take five times as long and find the same. */
const TOGETHER = 5;

const statementsOf = (sql: string): string[] => sqlStatements(sql).map(({ start, end }) => sql.slice(start, end));

test("after each object of each kind, reading what is new finds what reading all finds", async () => {
  await compared();
  const sql = readFileSync(join(import.meta.dirname, "..", "..", "support", "everyKind.sql"), "utf8");
  const ways = new Map<Way | undefined, number>();
  const statements = statementsOf(sql);
  for (let n = 0; n < statements.length; n += TOGETHER) {
    for (const statement of statements.slice(n, n + TOGETHER)) await database.query(statement);
    const found = await compared();
    ways.set(found, (ways.get(found) ?? 0) + 1);
  }
  expect(ways.get("what is new")).toBeGreaterThan(5);
}, 120_000);

/** In a schema of its own, on what is there; and whether to read what is new is enough. */
const MORE: [sql: string, way: Way][] = [
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
  ["create table app.coded (code varchar); create index on app.coded using hash (code)", "what is new"],
  [
    "create operator class other.ops default for type varchar using hash as operator 1 = (text, text), function 1 hashtext(text)",
    "all",
  ],
  ["create role boss superuser; grant boss to current_user with admin option", "all"],
  [
    "create subscription s connection 'dbname=none' publication p with (connect = false, slot_name = none)",
    "what is new",
  ],
  ["alter subscription s owner to boss", "what is new"],
  ["create role ordinary; grant ordinary to boss", "all"],
  ["revoke ordinary from boss", "what is new"],
  ["alter role ordinary set work_mem = '5MB'", "what is new"],
  ["alter role ordinary rename to usual", "all"],
  ["comment on role usual is 'as others'; comment on subscription s is 'far'", "what is new"],
  ["create user mapping for usual server far options (password 'a')", "all"],
  ["alter user mapping for usual server far options (set password 'b')", "what is new"],
  ["drop user mapping for usual server far", "all"],
  [
    "create function public.make() returns event_trigger language plpgsql as 'begin create view app.made as select 1; end'; create event trigger make on ddl_command_end when tag in ('CREATE SCHEMA') execute function public.make()",
    "what is new",
  ],
  ["create schema third", "what is new"],
  ["drop event trigger make", "all"],
  ["drop subscription s", "what is new"],
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

/** What gives rows another place, or notes something in them, and says nothing else. */
const UPKEEP = [
  ...["pg_class", "pg_attribute", "pg_depend", "pg_description"].map((catalog) => `vacuum full ${catalog}`),
  "cluster pg_type using pg_type_oid_index",
  "reindex table pg_class",
  "vacuum full app.children",
  "select nextval('app.numbers'), lo_create(0)",
];

test("where a row is moved or frozen it is the same", async () => {
  await compared();
  for (const sql of ["analyze", "vacuum freeze"]) {
    await database.query(sql);
    expect(await compared()).toBe("what is new");
  }
  for (const sql of UPKEEP) {
    await database.query(sql);
    await compared();
  }
});

test("without dependencies it is the same", async () => {
  await compared({ dependencies: false });
  await database.query("create schema another; create table another.t (id int primary key)");
  expect(await compared({ dependencies: false })).toBe("what is new");
  await database.query("drop table another.t");
  expect(await compared({ dependencies: false })).toBe("all");
});

test("what a transaction makes that began before a reading is new after it", async () => {
  const other = new pg.Client(database.url);
  await other.connect();
  await database.query("create schema if not exists another");
  await other.query("begin; create table another.early (id int)");
  await database.query("create table another.meanwhile (id int)");
  await compared();
  await other.query("commit");
  await compared();
  await other.query("begin; savepoint a; alter table another.early add column x int; release a");
  await compared();
  await other.query("commit");
  expect(await compared()).toBe("all");
  await other.query("comment on table another.early is 'one'");
  await other.query("begin; comment on table another.early is 'two'");
  await database.query("select pg_current_xact_id()");
  await compared();
  // As many rows as before.
  await other.query("commit");
  await compared();
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
  // So many that it is worth it.
  await database.query(
    "do $$ begin for n in 1..500 loop execute format('create table another.t%s (id int unique)', n); end loop; end $$",
  );
  const live = new LiveCatalog(
    async () => ({ pool: readings.again, owner: "nobody" }),
    (read) => read(),
  );
  await live.get();
  readings.forget();
  await live.refresh();
  expect(readings.way()).toBe("what is new");
  live.forget();
  readings.forget();
  await live.get();
  expect(readings.way()).toBe("all");
});

test("what was read before the first resource is read again where that is long in coming", async () => {
  const live = new LiveCatalog(
    async () => ({ pool: readings.again, owner: "nobody" }),
    (read) => read(),
  );
  live.readEarly();
  await database.query("select pg_sleep(0.5); create table another.late (id int)");
  await expect.poll(() => Reflect.get(live, "readAt")).toBeDefined();
  const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 6_000);
  try {
    const { facts } = await live.get();
    expect(facts.has({ kind: "table", schema: "another", name: "late" })).toBe(true);
  } finally {
    clock.mockRestore();
  }
});

test("what was read long ago is read again where it has to be recent", async () => {
  const live = new LiveCatalog(
    async () => ({ pool: readings.again, owner: "nobody" }),
    (read) => read(),
  );
  live.readEarly();
  const first = await live.get();
  expect(await live.recent()).toBe(first);
  const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 60_000);
  try {
    // It has been gone by, so what follows is of the same.
    expect(await live.get()).toBe(first);
    expect(await live.recent()).not.toBe(first);
    const accepted = { ...first };
    live.accept(accepted, { isAddedTo: false });
    expect(await live.recent()).toBe(accepted);
  } finally {
    clock.mockRestore();
  }
});

test("after a crash, which may take back what was read, all is read, though the server counts as the same", async () => {
  const started = "select pg_postmaster_start_time()::text as at";
  await compared();
  expect(await compared()).toBe("what is new");
  const before = await database.query(started);
  const killed = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
  for (const { pid } of killed) process.kill(pid, "SIGKILL");
  await expect.poll(() => database.query(started).catch(() => undefined), { timeout: 20_000 }).toEqual(before);
  await expect.poll(() => readings.both(), { timeout: 20_000 }).toMatchObject({ way: "all" });
});

test("a reading of another turn of transaction numbers is none to begin with", async () => {
  const client = await readings.again.connect();
  const at = async (before: Mark | undefined): Promise<Standing> => standing(client, (text) => ({ text }), before);
  const { mark } = await at(undefined);
  expect((await at(mark)).untouched).toContain("app");
  const turned = mark && { ...mark, horizon: String(BigInt(mark.horizon) + 2n ** 32n) };
  expect((await at(turned)).untouched).toEqual([]);
  client.release();
});

test("each catalog of the server is watched, or known to say nothing of a fact", async () => {
  const rows = await database.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by 1",
  );
  expect(rows.map(({ name }) => name)).toEqual([...WATCHED, ...UNWATCHED].sort());
});
