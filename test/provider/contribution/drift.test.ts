import { beforeAll, expect, test } from "vitest";
import type { ResourceState } from "../../../provider/core/resourceType.ts";
import { isDrifted, reportDrift } from "../../../provider/resources/driftReport.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { project, upAll } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const BASE = `
  create extension pgcrypto with schema public;
  create schema shop;
  create table shop.item (id int primary key, name text not null, constraint item_name check (name <> ''));
  create index item_name_index on shop.item (name);
  create function shop.one() returns int language sql immutable as 'select 1';
  revoke all on function shop.one() from public;
  create view shop.names as select name from shop.item;`;
const TOP = `
  alter table shop.item enable row level security;
  create policy everyone on shop.item using (true);
  create table public.from_layer (id int);`;

const base = project.layer("base", BASE);
const top = project.layer("top", TOP, { base: [{ name: "base", files: ["base.sql"] }] });

/**
 * Of the first update; the databases of the other tests are built to be like its own, which the first test
 * holds.
 */
let states: ResourceState[] = [];
beforeAll(async () => {
  states = await upAll((await freshDatabase()).url, [base, top]);
});

async function standing(): Promise<TestDatabase> {
  const database = await freshDatabase();
  await database.query(BASE + TOP);
  return database;
}

const report = ({ url }: TestDatabase, layers: ResourceState[], rows: ResourceState[] = []) =>
  reportDrift({ provider: { url }, layers, rows, sets: [] });

const QUIET = { differs: [], missing: [], notOurs: [] };

test("a database as the last update left it has no drift, extensions and the server's own things included", async () => {
  const database = await standing();
  const found = await report(database, states);
  expect(found).toMatchObject({
    layers: [
      { layer: "base", ...QUIET },
      { layer: "top", ...QUIET },
    ],
    notOurs: [],
    rows: [],
  });
  expect(isDrifted(found)).toBe(false);
  expect(found.database).toContain(`/${database.name}`);
});

for (const [what, change, expected] of [
  ["a dropped policy", "drop policy everyone on shop.item", { top: { missing: ["policy everyone on shop.item"] } }],
  ["a dropped index", "drop index shop.item_name_index", { base: { missing: ["index shop.item_name_index"] } }],
  [
    "a dropped table, named once, with what another layer has on it",
    "drop table shop.item cascade",
    {
      base: { missing: ["index shop.item_name_index", "table shop.item", "view shop.names"] },
      top: { missing: ["policy everyone on shop.item", "table shop.item"] },
    },
  ],
  [
    "row security that was switched off",
    "alter table shop.item disable row level security",
    { top: { differs: ["table shop.item"] } },
  ],
  [
    "a changed function",
    "create or replace function shop.one() returns int language sql immutable as 'select 2'",
    { base: { differs: ["function shop.one()"] } },
  ],
  [
    "a lost not null",
    "alter table shop.item alter column name drop not null",
    { base: { differs: ["column shop.item.name"] } },
  ],
  [
    "execution that was given back to everybody",
    "grant execute on function shop.one() to public",
    { base: { differs: ["privileges of PUBLIC on function shop.one()"] } },
  ],
  ["a rogue index", "create index rogue on shop.item (id, name)", { base: { notOurs: ["index shop.rogue"] } }],
  [
    "a rogue policy",
    "create policy rogue on shop.item for select using (true)",
    { base: { notOurs: ["policy rogue on shop.item"] } },
  ],
  [
    "a rogue column",
    "alter table shop.item add column rogue int default 1",
    { base: { notOurs: ["column shop.item.rogue"] } },
  ],
  [
    "a rogue constraint",
    "alter table shop.item add constraint rogue check (id > 0)",
    { base: { notOurs: ["constraint rogue on shop.item"] } },
  ],
  [
    "a rogue trigger",
    "create trigger rogue before update on shop.item for each row execute function suppress_redundant_updates_trigger()",
    { base: { notOurs: ["trigger rogue on shop.item"] } },
  ],
  [
    "a grant to a role, also on a column",
    "grant select on shop.item to pg_monitor; grant update (name) on shop.item to pg_monitor",
    {
      base: {
        notOurs: [
          "privileges of pg_monitor on column name of table shop.item",
          "privileges of pg_monitor on table shop.item",
        ],
      },
    },
  ],
  [
    "a grant to everybody",
    "grant select on shop.item to public",
    { base: { notOurs: ["privileges of PUBLIC on table shop.item"] } },
  ],
  [
    "default privileges in the schema",
    "alter default privileges in schema shop grant select on tables to pg_monitor",
    { base: { notOurs: [expect.stringContaining("default privileges of")] } },
  ],
  ["a comment", "comment on table shop.item is 'rogue'", { base: { notOurs: ["comment on table shop.item"] } }],
  [
    "forced row security",
    "alter table shop.item force row level security",
    { base: { notOurs: ["forceRowSecurity of table shop.item"] } },
  ],
  [
    "a storage parameter",
    "alter table shop.item set (fillfactor = 50)",
    { base: { notOurs: ["reloptions of table shop.item"] } },
  ],
  [
    "a rogue table, without its parts",
    "create table shop.rogue (id int primary key); create index on shop.rogue (id); comment on table shop.rogue is 'x'; grant select on shop.rogue to public",
    { base: { notOurs: ["table shop.rogue"] } },
  ],
  [
    "a rogue function and a rogue type",
    "create function shop.rogue() returns int language sql as 'select 1'; create type shop.kind as enum ('a')",
    { base: { notOurs: ["function shop.rogue()", "type shop.kind"] } },
  ],
] as const) {
  test(`${what} is reported under its layer, and nothing else is`, async () => {
    const database = await standing();
    await database.query(change);
    const found = await report(database, states);
    const layers: Record<string, object> = expected;
    expect(found).toMatchObject({
      layers: ["base", "top"].map((layer) => ({ layer, ...QUIET, ...layers[layer] })),
      notOurs: [],
    });
    expect(isDrifted(found)).toBe(true);
  });
}

test("what stands beside a layer's objects in a schema that no layer declares is reported by itself", async () => {
  const database = await standing();
  await database.query(
    "create table public.beside (id int primary key); create schema apart; create table apart.t (id int)",
  );
  const found = await report(database, states);
  expect(found.layers).toMatchObject([QUIET, QUIET]);
  expect(found.notOurs).toEqual(["table public.beside"]);
});

test("an index that a failed build left behind is reported", async () => {
  const database = await standing();
  await database.query("insert into shop.item values (1, 'a'), (2, 'a')");
  await expect(database.query("create unique index concurrently broken on shop.item (name)")).rejects.toThrow();
  expect((await report(database, states)).notOurs).toEqual(["invalid index shop.broken, left by a build that failed"]);
});

test("what an adopted table has beyond the layer is reported as not ours", async () => {
  const database = await freshDatabase();
  await database.query(
    "create schema shop; create table shop.item (id int primary key, name text not null, legacy int); grant select on shop.item to pg_monitor",
  );
  expect((await report(database, await upAll(database.url, [base, top]))).layers[0]).toEqual({
    layer: "base",
    ...QUIET,
    notOurs: ["column shop.item.legacy", "privileges of pg_monitor on table shop.item"],
  });
});

test("a report changes nothing in the database", async () => {
  const database = await standing();
  const counters =
    "select tup_inserted, tup_updated, tup_deleted from pg_stat_database where datname = current_database()";
  await database.query("create table shop.rogue (id int)");
  await database.query("select pg_stat_force_next_flush()");
  const before = await database.query(counters);
  await report(database, states);
  await database.query("select pg_stat_force_next_flush()");
  expect(await database.query(counters)).toEqual(before);
});

test("a row that was changed, and one that is gone, are reported by key, without a value", async () => {
  const database = await standing();
  await database.query("insert into shop.item values (1, 'one'), (2, 'two')");
  const rows = [1, 2, 3].map((id) => ({
    id: `shop.item/id=${id}`,
    inputs: { table: "shop.item", key: { id }, values: { name: id === 1 ? "one" : "hidden-word" } },
    outputs: {},
  }));
  const found = await report(database, states, rows);
  expect(found.rows).toEqual([
    { row: "shop.item/id=2", missing: false, differs: ["values.name"] },
    { row: "shop.item/id=3", missing: true, differs: [] },
  ]);
  expect(isDrifted(found)).toBe(true);
  expect(JSON.stringify(found)).not.toMatch(/hidden-word|two/);
});

test("a database that cannot be reached is an error that names it and not its password", async () => {
  const url = "postgresql://someone:hidden-word@127.0.0.1:1/nowhere";
  const failure = await reportDrift({ provider: { url }, layers: states, rows: [], sets: [] }).catch(
    (error: unknown) => error,
  );
  expect(String(failure)).toContain("someone@127.0.0.1:1/nowhere");
  expect(String(failure)).not.toContain("hidden-word");
});

test("a state without a URL is an error", async () => {
  await expect(reportDrift({ provider: {}, layers: [], rows: [], sets: [] })).rejects.toThrow(
    /settings in the state[\s\S]*url/,
  );
});

test("a collation that the server has in another version is told with its indexes and what to do", async () => {
  const database = await standing();
  await database.query("create collation shop.plain (provider = icu, locale = 'und')");
  await database.query("create index item_plain on shop.item (name collate shop.plain)");
  await database.query("update pg_collation set collversion = '0.1' where collname = 'plain'");
  const found = await report(database, states);
  expect(found.outdated).toEqual([
    expect.stringMatching(
      /^collation shop\.plain was recorded with version 0\.1, the server has \S+, .*shop\.item_plain; then ALTER collation shop\.plain REFRESH VERSION$/,
    ),
  ]);
  expect(isDrifted({ ...found, layers: [], notOurs: [] })).toBe(true);
});
