import { expect, test } from "vitest";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { inRun, pending, preview, project, sqlOf, up, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const SHOP = `
  create schema shop;
  create table shop.item (id int generated always as identity primary key, price int, secret text);
  create sequence shop.numbers;
  create view shop.prices as select price from shop.item;
  create function shop.shut() returns int language sql immutable as 'select 1';
  revoke all on function shop.shut() from public;
  create function shop.open() returns int language sql immutable as 'select 1';
  create type shop.size as enum ('small', 'large');`;

/** As a careless migration does: all to everybody, and something to one role. */
const OPENED = `
  grant usage, create on schema shop to public;
  grant select on all tables in schema shop to public;
  grant select (secret), update (secret) on shop.item to public;
  grant usage on all sequences in schema shop to public;
  grant execute on all functions in schema shop to public;
  grant execute on function shop.open() to pg_monitor;
  grant usage on type shop.size to pg_monitor;
  grant select on shop.item to pg_monitor;`;

const shop = project.layer("shop", SHOP);

/** What everybody may do, as the server sees it. */
async function open({ query }: TestDatabase): Promise<string[]> {
  const [row] = await query<{ open: string[] }>(`
    select array_remove(array[
      case when has_schema_privilege('public', 'shop', 'usage') then 'use schema' end,
      case when has_schema_privilege('public', 'shop', 'create') then 'create in schema' end,
      case when has_table_privilege('public', 'shop.item', 'select') then 'select table' end,
      case when has_any_column_privilege('public', 'shop.item', 'update') then 'update column' end,
      case when has_table_privilege('public', 'shop.prices', 'select') then 'select view' end,
      case when has_sequence_privilege('public', 'shop.numbers', 'usage') then 'use sequence' end,
      case when has_function_privilege('public', 'shop.shut()', 'execute') then 'call shut' end,
      case when has_function_privilege('public', 'shop.open()', 'execute') then 'call open' end,
      case when has_type_privilege('public', 'shop.size', 'usage') then 'use type' end], null) as open`);
  return row?.open ?? [];
}

const BUILT_IN = ["call open", "use type"];

async function opened(): Promise<TestDatabase> {
  const database = await freshDatabase();
  await database.query(SHOP + OPENED);
  return database;
}

test("what an adopted database grants to everybody and the layer does not is taken away, columns included", async () => {
  const database = await opened();
  expect(await open(database)).toHaveLength(9);
  const [plan] = await preview(database.url, [shop]);
  const sql = sqlOf(plan);
  expect(sql).toEqual(
    expect.arrayContaining([expect.stringMatching(/^REVOKE ALL ON TABLE "shop"."item" FROM PUBLIC/)]),
  );
  expect(sql?.filter((line) => !/^REVOKE ALL .* FROM PUBLIC$/.test(String(line)))).toEqual([]);

  const state = await up(database.url, shop);

  expect(await open(database)).toEqual(BUILT_IN);
  expect(await pending(database.url, state)).toEqual([]);
});

test("what other roles may do on an adopted object stays", async () => {
  const database = await opened();
  await up(database.url, shop);
  expect(
    await database.query(
      "select has_table_privilege('pg_monitor', 'shop.item', 'select') as item, has_function_privilege('pg_monitor', 'shop.open()', 'execute') as open",
    ),
  ).toEqual([{ item: true, open: true }]);
});

test("what the layer grants to everybody stays, and what it grants less of is narrowed", async () => {
  const database = await opened();
  const wide = project.layer(
    "wide",
    `${SHOP} grant usage on schema shop to public; grant select on shop.prices to public;`,
  );
  const state = await up(database.url, wide);
  expect(await open(database)).toEqual(["use schema", "select view", ...BUILT_IN]);
  expect(await pending(database.url, state)).toEqual([]);
});

test("what a layer below or beside grants to everybody is not taken away by one that adopts later", async () => {
  const database = await opened();
  const base = project.layer("base", "create schema shop; grant usage on schema shop to public;");
  const top = project.layer("top", SHOP.replace("create schema shop;", ""), {
    base: [{ name: "base", files: ["base.sql"] }],
  });
  const states = await upAll(database.url, [base, top]);
  expect(await open(database)).toEqual(["use schema", ...BUILT_IN]);
  for (const state of states) expect(await pending(database.url, state)).toEqual([]);
});

test("what somebody grants to everybody after the adoption is left to the report of drift", async () => {
  const database = await opened();
  const state = await up(database.url, shop);
  await database.query("grant select on shop.item to public");
  expect(await pending(database.url, state)).toEqual([]);
  await up(database.url, project.layer("shop", `${SHOP} create table shop.tag (id int);`), state);
  project.layer("shop", SHOP);
  expect(await open(database)).toContain("select table");
});

test("an object that is adopted by a later update is shut then", async () => {
  const database = await freshDatabase();
  await database.query(`${SHOP} create table shop.late (id int); grant select on shop.late to public;`);
  const state = await up(database.url, shop);
  await up(database.url, project.layer("shop", `${SHOP} create table shop.late (id int);`), state);
  project.layer("shop", SHOP);
  expect(await database.query("select has_table_privilege('public', 'shop.late', 'select') as may")).toEqual([
    { may: false },
  ]);
});

test("an import names what everybody may do, because only an adopting update takes it away", async () => {
  const database = await opened();
  const warnings = await inRun(database.url, async ({ layer, context, said }) => {
    await layer.read(context(), { id: "shop?files=shop.sql", inputs: {}, outputs: {} });
    return said.warnings.join("\n");
  });
  expect(warnings).toMatch(/PUBLIC[\s\S]*table shop\.item/);
});
