import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { ResourceState } from "../../../provider/core/resourceType.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { inRun, pending, project, put, up } from "../../support/layerHarness.ts";
import { type StatementProxy, startStatementProxy } from "../../support/statementProxy.ts";

const freshDatabase = freshDatabases();
let proxy: StatementProxy;
beforeAll(async () => {
  proxy = await startStatementProxy({ host: "127.0.0.1", port: Number(new URL(inject("serverUrl")).port) });
});
afterAll(() => proxy?.close());

const ROWS = 11_000;
const shop = (by: number): string => `create schema shop;
  create function shop.grade(n int) returns int language sql immutable as $$ select n / ${by} $$;
  create table shop.item (id int primary key, price int not null, grade int generated always as (shop.grade(price)) stored,
    constraint graded check (shop.grade(price) < 10000));
  create index item_grade on shop.item (shop.grade(price));`;
const allow = [
  "rebuild-index:shop.item_grade",
  "recompute-column:shop.item.grade",
  "recheck-constraint:shop.item.graded",
];

/** The statements between which a run may end, from the change of the function on. */
const POINTS = [
  /^CREATE OR REPLACE FUNCTION/,
  /^commit$/,
  /^REINDEX INDEX CONCURRENTLY/,
  /^\s*with old as/,
  /VALIDATE CONSTRAINT "pgstrata_recheck_graded"/,
  /DROP CONSTRAINT "pgstrata_recheck_graded"/,
] as const;

async function stocked(): Promise<{ database: TestDatabase; state: ResourceState }> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", shop(10), { allow: [] }));
  await database.query(
    `insert into shop.item (id, price) select n, n from generate_series(1, ${ROWS}) as n; analyze shop.item`,
  );
  return { database, state };
}

/** What of the old results is left, and of the steps. */
async function leftOver({ pool }: TestDatabase): Promise<unknown> {
  const client = await pool.connect();
  try {
    const { rows: stored } = await client.query("select count(*)::int as old from shop.item where grade <> price / 5");
    const { rows: helpers } = await client.query(
      "select conname as name from pg_constraint where conname like 'pgstrata%' union all select indexrelid::regclass::text from pg_index where not indisvalid",
    );
    await client.query("set enable_seqscan = off");
    const { rows: found } = await client.query(
      "select count(*)::int as found from shop.item where shop.grade(price) = 2",
    );
    return { ...stored[0], ...found[0], helpers };
  } finally {
    client.release(true);
  }
}

test.each(["before", "after"] as const)(
  "all that is stored of a function's results is brought up to date in the end, though a run is cut %s each statement",
  async (side) => {
    for (const point of POINTS) {
      const { database, state } = await stocked();
      const next = project.layer("shop", shop(5), { allow });
      let killed = false;
      let hasChanged = false;
      proxy.restart(({ sql, side: at, connection }) => {
        hasChanged ||= sql.startsWith("CREATE OR REPLACE FUNCTION");
        if (killed || !hasChanged || at !== side || !point.test(sql)) return;
        killed = true;
        connection.cut();
      });
      await inRun(proxy.url(database.url), (run) => put(run, next, state)).catch(() => {});
      proxy.restart();
      expect({ point, killed }).toEqual({ point, killed: true });
      const done = await up(database.url, next, state);
      expect({ point, ...Object(await leftOver(database)) }).toEqual({ point, old: 0, found: 5, helpers: [] });
      expect(await pending(database.url, done)).toEqual([]);
    }
  },
  240_000,
);

test("an update that was cut and whose files are taken back leaves the old results", async () => {
  const { database, state } = await stocked();
  const next = project.layer("shop", shop(5), { allow });
  proxy.restart(({ sql, side, connection }) => {
    if (side === "before" && sql.startsWith("REINDEX INDEX CONCURRENTLY")) connection.cut();
  });
  await inRun(proxy.url(database.url), (run) => put(run, next, state)).catch(() => {});
  proxy.restart();
  const back = await up(database.url, project.layer("shop", shop(10), { allow }), state);
  expect(await leftOver(database)).toMatchObject({ found: 10, helpers: [] });
  expect(await pending(database.url, back)).toEqual([]);
});
