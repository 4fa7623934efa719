import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { killOnce, terminateBackend } from "../../support/kills.ts";
import { inRun, pending, project, put, up } from "../../support/layerHarness.ts";
import { type Boundary, type StatementProxy, startStatementProxy } from "../../support/statementProxy.ts";

const freshDatabase = freshDatabases();
let proxy: StatementProxy;
beforeAll(async () => {
  proxy = await startStatementProxy({ host: "127.0.0.1", port: Number(new URL(inject("serverUrl")).port) });
});
afterAll(() => proxy?.close());

/** A sample of each run of the tests; every boundary by `PGSTRATA_KILLS=all`. */
const EVERY = process.env.PGSTRATA_KILLS === "all" ? 1 : 5;

const EVENTS = `create table public.events (id int not null, at date not null, what text, primary key (id, at)) partition by range (at);
  create index events_what on public.events (what);`;
const PLAIN = "(id int not null, at date not null, what text, primary key (id, at));";
const YEAR =
  "create table public.events_2025 partition of public.events for values from ('2025-01-01') to ('2026-01-01');";
const REST =
  "create table public.rest partition of public.events default partition by range (at); create table public.rest_all partition of public.rest default;";

/** Changes that keep their rows, and the table to insert them into. */
const RECIPES: Record<string, { before: string; after: string; into: string; allow?: string[] }> = {
  "a table that becomes a partition": {
    before: `${EVENTS} create table public.events_2025 ${PLAIN}`,
    after: EVENTS + YEAR,
    into: "events_2025",
  },
  "a partition that becomes a table": {
    before: EVENTS + YEAR,
    after: `${EVENTS} create table public.events_2025 ${PLAIN}`,
    into: "events",
  },
  "a table that comes to lie in partitions": {
    before: `create table public.events ${PLAIN}`,
    after: `${EVENTS.replace("create index events_what on public.events (what);", "")} ${YEAR} ${REST}`,
    into: "events",
    allow: ["rewrite-table:public.events"],
  },
  "a new partition that takes rows of the default one": {
    before: EVENTS + REST,
    after: EVENTS + REST + YEAR,
    into: "events",
  },
};

/** All rows, wherever they lie: a row that is there twice is a fault as well. */
const ROWS = `select id, at::text, what from events_2025 union all select id, at::text, what from events where tableoid <> 'events_2025'::regclass order by 1, 2`;
const LEFT = `select relname as name from pg_class where relname like 'pgstrata%' union all select proname from pg_proc where proname like 'pgstrata%'
  union all select conname from pg_constraint where conname like 'pgstrata%' union all select tgname from pg_trigger where tgname like 'pgstrata%'
  union all select nspname from pg_namespace where nspname like 'pgstrata%'`;

/** What changes the database; what only asks is as good as the statement after it. */
const CHANGES = /^\s*(alter|create|drop|do|insert|delete|update|commit|analyze)\b/i;

test.each(Object.entries(RECIPES))(
  "%s keeps its rows and converges, wherever a run is killed",
  async (_name, { before, after, into, allow = [] }) => {
    const first = () => project.layer("events", before);
    const next = () => project.layer("events", after, { allow });
    const start = async () => {
      const database = await freshDatabase();
      const state = await up(database.url, first());
      await database.query(
        `insert into ${into} select g, '2025-01-01'::date + g, 'w' || g from generate_series(1, 50) g; analyze ${into}`,
      );
      return { database, state };
    };
    const undisturbed = await start();
    proxy.restart();
    const done = await inRun(proxy.url(undisturbed.database.url), (run) => put(run, next(), undisturbed.state));
    expect(await pending(undisturbed.database.url, done)).toEqual([]);
    const statements = [...proxy.statements];
    const rows = await undisturbed.database.query(ROWS);
    expect(rows).toHaveLength(50);
    const points = statements.flatMap((sql, n) =>
      CHANGES.test(sql) ? (["before", "after"] as const).map((side) => ({ number: n + 1, side })) : [],
    );
    expect(points.length).toBeGreaterThan(4);
    for (const point of points.filter((_, n) => n % EVERY === 0)) {
      const { database, state } = await start();
      const isCut = point.side === "after";
      const kill = (boundary: Boundary) =>
        isCut ? boundary.connection.cut() : terminateBackend(boundary, inject("serverUrl"));
      const { hold, killedAt } = killOnce(point, statements, kill);
      proxy.restart(hold);
      await inRun(proxy.url(database.url), (run) => put(run, next(), state)).catch(() => {});
      proxy.restart();
      const where = `${point.side} ${killedAt()}`;
      expect(killedAt(), `${point.side} ${statements[point.number - 1]}`).toBeDefined();
      const finished = await up(database.url, next(), state);
      expect({ where, pending: await pending(database.url, finished) }).toEqual({ where, pending: [] });
      expect({ where, rows: await database.query(ROWS) }).toEqual({ where, rows });
      expect({ where, left: await database.query(LEFT) }).toEqual({ where, left: [] });
    }
  },
  900_000,
);

test("a move that was cut and whose files are taken back leaves neither copies nor a log", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("events", EVENTS + REST));
  await database.query("insert into events select g, '2025-01-01'::date + g, 'w' from generate_series(1, 20) g");
  proxy.restart(({ sql, side, connection }) => {
    if (side === "before" && sql.startsWith("analyze")) connection.cut();
  });
  const next = project.layer("events", EVENTS + REST + YEAR);
  await inRun(proxy.url(database.url), (run) => put(run, next, state)).catch(() => {});
  proxy.restart();
  expect(await database.query("select count(*)::int as n from events_2025")).toEqual([{ n: 20 }]);
  const back = await up(database.url, project.layer("events", EVENTS + REST), state);
  expect(await database.query(LEFT)).toEqual([]);
  expect(await database.query("select to_regclass('events_2025') as gone, count(*)::int as n from events")).toEqual([
    { gone: null, n: 20 },
  ]);
  expect(await pending(database.url, back)).toEqual([]);
});
