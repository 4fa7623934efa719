import { expect, test } from "vitest";
import type { ResourceState } from "../../../../provider/core/resourceType.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { pending, project, type RunOptions, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

/** Row by row, `shop.slow` takes its time: what reads the rows of `shop.item` takes about a second. */
const BASE = `create schema shop;
create function shop.slow(n int) returns int immutable language plpgsql as $$ begin perform pg_sleep(0.001); return n; end $$;
create function shop.slow_id() returns uuid volatile language plpgsql as $$ begin perform pg_sleep(0.001); return gen_random_uuid(); end $$;
create table shop.item (id int primary key, name text, price int);`;
const ROWS = 800;

const SHORT: RunOptions = { statementTimeoutMs: 300 };
const ALL_SHORT: RunOptions = { ...SHORT, longStatementTimeoutMs: 300 };
const TOO_LONG = /SQLSTATE 57014[\s\S]*longer than allowed[\s\S]*longStatementTimeoutMs/;

async function stocked(): Promise<{ database: TestDatabase; state: ResourceState }> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  await database.query(`insert into shop.item select n, 'item ' || n, n from generate_series(1, ${ROWS}) as n`);
  return { database, state };
}

/** Whatever a recipe may leave behind. */
async function leftOvers({ query }: TestDatabase): Promise<string[]> {
  const rows = await query<{ name: string }>(
    "select conname as name from pg_constraint where connamespace = 'shop'::regnamespace and contype not in ('p', 'n') union all select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where not indisprimary and relnamespace = 'shop'::regnamespace order by 1",
  );
  return rows.map(({ name }) => name);
}

test("a statement that changes only the catalog and takes long is cut, and nothing is changed", async () => {
  const { database, state } = await stocked();
  // Some minutes of somebody else's work in each `ALTER TABLE`.
  await database.query(`create schema other; create function other.dawdle() returns event_trigger language plpgsql as $$ begin perform pg_sleep(60); end $$;
    create event trigger dawdle on ddl_command_end when tag in ('ALTER TABLE') execute function other.dawdle()`);
  const wider = project.layer(
    "shop",
    `${BASE} create table shop.tag (id int); alter table shop.item add column note text;`,
  );
  const started = performance.now();
  await expect(up(database.url, wider, state, SHORT)).rejects.toThrow(
    /57014[\s\S]*statementTimeoutMs[\s\S]*nothing was changed/,
  );
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  await database.query("drop event trigger dawdle");
  expect(await pending(database.url, await up(database.url, wider, state, SHORT))).toEqual([]);
});

/**
 * Changes that work on every row, with the approvals that they need and what of them may stay when they are
 * cut.
 */
const LONG: { kind: string; sql: string; allow?: string[]; stays?: string[] }[] = [
  { kind: "an index", sql: `${BASE} create index item_slow on shop.item (shop.slow(price));` },
  { kind: "a check", sql: `${BASE} alter table shop.item add constraint item_price check (shop.slow(price) > 0);` },
  {
    kind: "the filling in of a column",
    sql: BASE.replace("price int", "price int, tag uuid not null default shop.slow_id()"),
    stays: ["pgstrata_fill_tag"],
  },
  {
    kind: "an approved copy of a table",
    sql: BASE.replace("price int", "price int, tag uuid default shop.slow_id()"),
    allow: ["rewrite-table:shop.item"],
  },
];

for (const { kind, sql, allow = [], stays = [] } of LONG) {
  test(`${kind} takes the time it needs, unless longStatementTimeoutMs cuts it, which leaves nothing half done`, async () => {
    const { database, state } = await stocked();
    await expect(up(database.url, project.layer("shop", sql, { allow }), state, ALL_SHORT)).rejects.toThrow(TOO_LONG);
    expect(await leftOvers(database)).toEqual(stays);
    const done = await up(database.url, project.layer("shop", sql, { allow }), state, SHORT);
    expect(await pending(database.url, done)).toEqual([]);
    expect((await leftOvers(database)).filter((name) => name.startsWith("pgstrata"))).toEqual([]);
    const [{ rows } = { rows: 0 }] = await database.query<{ rows: number }>(
      "select count(*)::int as rows from shop.item",
    );
    expect(rows).toBe(ROWS);
  });
}

test("what takes long without a lock of its own has no right to it while others wait for the locks of its transaction", async () => {
  const { database, state } = await stocked();
  const summary = `${BASE} create materialized view shop.summary as select sum(shop.slow(price)) as total from shop.item;`;
  const both = `${summary} alter table shop.item add column note text;`;
  await expect(up(database.url, project.layer("shop", both), state, SHORT)).rejects.toThrow("57014");
  const alone = await up(database.url, project.layer("shop", summary), state, SHORT);
  expect(await pending(database.url, alone)).toEqual([]);
});
