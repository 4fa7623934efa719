import { expect, test, vi } from "vitest";
import type { ResourceState } from "../../../../provider/core/resourceType.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, inRun, pending, project, up, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const SHOP = `
  create schema shop;
  create table shop.item (id int primary key, name text);
  create table shop.orders (id int primary key, item int references shop.item);
  create index item_name on shop.item (name);
  create type shop.size as enum ('small', 'large');
  create function shop.one() returns int language sql as 'select 1';
  create view shop.names as select name from shop.item;`;

const shop = project.layer("shop", SHOP);
const base = [{ name: "shop", files: ["shop.sql"] }];
const ALL = ["item", "item_name", "item_pkey", "names", "orders", "orders_pkey", "size"].filter(
  (name) => name !== "size",
);

const forced = (state: ResourceState): ResourceState => ({ ...state, inputs: { ...state.inputs, forceDestroy: true } });

test("a destroy takes back everything that the layer made, and nothing else", async () => {
  const database = await freshDatabase();
  await database.query("create table public.before (id int)");
  const state = await up(database.url, shop);
  const said = await destroy(database.url, state);
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
  expect(await relationsIn(database, "public")).toEqual(["before"]);
  expect(said.warnings).toEqual([]);
});

test("a destroy takes what is there behind a long backup, not what was read before it", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop);
  await inRun(database.url, async ({ layer, context }) => {
    await layer.read(context(), state);
    await database.query("drop table shop.orders");
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 60_000);
    try {
      await layer.delete(context(), state);
    } finally {
      clock.mockRestore();
    }
  });
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("tables with rows are not destroyed, all are named, and nothing else goes", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop);
  await database.query("insert into shop.item values (1, 'pen'); insert into shop.orders values (1, 1)");
  await expect(destroy(database.url, state)).rejects.toThrow(
    /Refused to drop what holds rows: table shop\.(item|orders), table shop\.(item|orders)\. Nothing was changed\.\n.*`forceDestroy` to true/,
  );
  expect(await relationsIn(database, "shop")).toEqual(ALL);
  expect(await database.query("select * from shop.item")).toEqual([{ id: 1, name: "pen" }]);
  expect(await pending(database.url, state)).toEqual([]);
});

test("a forced destroy drops tables with their rows", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop);
  await database.query("insert into shop.item values (1, 'pen')");
  await destroy(database.url, forced(state));
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("a table of keepWithRows stays while it holds rows, with all that is on it, and a layer made again has it", async () => {
  const database = await freshDatabase();
  const trail = project.layer(
    "trail",
    `create schema trail; comment on schema trail is 'who has read';
     create table trail.notes (id bigint generated always as identity primary key, at timestamptz not null default now());
     comment on table trail.notes is 'one a call'; create index notes_at on trail.notes (at);
     create table trail.other (id int);`,
  );
  const inputs = { ...trail, keepWithRows: ["trail.notes", "trail.other", "trail.gone"] };
  const state = await up(database.url, inputs);
  await destroy(database.url, state);
  expect(await database.query("select from pg_namespace where nspname = 'trail'")).toEqual([]);

  const again = await up(database.url, inputs);
  await database.query("insert into trail.notes default values");
  const said = await destroy(database.url, again);
  expect(said.infos).toEqual([expect.stringContaining("table trail.notes holds rows and stays in place")]);
  expect(await relationsIn(database, "trail")).toEqual(["notes", "notes_at", "notes_id_seq", "notes_pkey"]);
  expect(
    await database.query(
      "select obj_description('trail.notes'::regclass) as of_table, obj_description('trail'::regnamespace) as of_schema",
    ),
  ).toEqual([{ of_table: "one a call", of_schema: "who has read" }]);

  const third = await up(database.url, inputs);
  expect(await pending(database.url, third)).toEqual([]);
  await database.query("insert into trail.notes default values");
  await destroy(database.url, forced(await up(database.url, inputs, third)));
  expect(await relationsIn(database, "trail")).toEqual(["notes", "notes_at", "notes_id_seq", "notes_pkey"]);
  expect(await database.query("select count(*)::int from trail.notes")).toEqual([{ count: 2 }]);
});

test("a forced destroy drops a table of keepWithRows as well", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, { ...shop, keepWithRows: ["shop.item"] });
  await database.query("insert into shop.item values (1, 'pen')");
  await destroy(database.url, forced(state));
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("an approval of one table's end is not one of another's", async () => {
  const database = await freshDatabase();
  const made = await up(database.url, shop);
  const state = { ...made, inputs: { ...made.inputs, allow: ["drop-table:shop.item"] } };
  await database.query("insert into shop.item values (1, 'pen')");
  await database.query("insert into shop.orders values (1, 1)");
  await expect(destroy(database.url, state)).rejects.toThrow("Refused to drop what holds rows: table shop.orders.");
  await database.query("delete from shop.orders");
  await destroy(database.url, state);
  expect(await relationsIn(database, "shop")).toEqual([]);
});

for (const [what, sql, named] of [
  ["view", "create view public.report as select name from shop.item", "view public.report"],
  [
    "materialized view",
    "create materialized view public.report as select id from shop.orders",
    "materialized view public.report",
  ],
  ["table with a foreign key", "create table public.bill (item int references shop.item)", "table public.bill"],
  ["table with a column of its type", "create table public.bill (size shop.size)", "table public.bill"],
  ["view that calls its function", "create view public.report as select shop.one() as one", "view public.report"],
  ["default that calls its function", "create table public.bill (one int default shop.one())", "table public.bill"],
  ["table in its schema", "create table shop.rogue (id int)", "table shop.rogue"],
  [
    "function in its schema",
    "create function shop.rogue() returns int language sql as 'select 2'",
    "function shop.rogue()",
  ],
  ["domain in its schema", "create domain shop.rogue as int", "domain shop.rogue"],
  ["table that inherits from it", "create table public.child () inherits (shop.item)", "table public.child"],
] as const) {
  test(`a foreign ${what} stops a destroy, forced or not, and is named`, async () => {
    const database = await freshDatabase();
    const state = await up(database.url, shop);
    await database.query(sql);
    for (const tried of [state, forced(state)]) {
      await expect(destroy(database.url, tried)).rejects.toThrow(
        `Found objects that depend on what is to be removed and are not this layer's: ${named}. Expected none.`,
      );
    }
    expect(await relationsIn(database, "shop")).toEqual(expect.arrayContaining(ALL));
    expect(await pending(database.url, state)).toEqual([]);
  });
}

test("a foreign object that uses a function of the layer's extension stops a destroy", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("extended", `create extension "uuid-ossp" with schema public;`));
  await database.query("create table public.bill (id uuid default public.uuid_generate_v4())");
  await expect(destroy(database.url, state)).rejects.toThrow("are not this layer's: table public.bill.");
  await database.query("drop table public.bill");
  await destroy(database.url, state);
  expect(await database.query("select from pg_extension where extname = 'uuid-ossp'")).toEqual([]);
});

test("a rogue index, policy and trigger on the layer's table go with it, and are reported", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop);
  await database.query(`
    create index rogue_index on shop.item (id, name);
    create policy rogue_policy on shop.item using (true);
    create trigger rogue_trigger before update on shop.item for each row execute function suppress_redundant_updates_trigger()`);
  const { warnings } = await destroy(database.url, state);
  expect(warnings).toHaveLength(1);
  for (const name of [
    "index shop.rogue_index",
    "policy rogue_policy on shop.item",
    "trigger rogue_trigger on shop.item",
  ])
    expect(warnings[0]).toContain(name);
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("a destroy of an upper layer leaves the lower one as it was", async () => {
  const database = await freshDatabase();
  const above = project.layer(
    "above",
    `alter table shop.item enable row level security;
     alter table shop.item add column price int;
     create policy p on shop.item using (true);
     create index item_price on shop.item (price);
     grant select on shop.item to public;`,
    { base },
  );
  const [below, state] = await upAll(database.url, [shop, above]);
  if (below === undefined || state === undefined) throw new Error("no states");
  await destroy(database.url, state);
  expect(await pending(database.url, below)).toEqual([]);
  expect(
    await database.query(
      "select relrowsecurity as secured, has_table_privilege('public', oid, 'select') as open from pg_class where oid = 'shop.item'::regclass",
    ),
  ).toEqual([{ secured: false, open: false }]);
  expect(
    await database.query(
      "select attname from pg_attribute where attrelid = 'shop.item'::regclass and attnum > 0 and not attisdropped order by attnum",
    ),
  ).toEqual([{ attname: "id" }, { attname: "name" }]);
});

const SECURED = "alter table shop.item enable row level security; alter table shop.orders enable row level security;";

test("row security that was on before the layer stays on after its destroy, and that which it set goes", async () => {
  const database = await freshDatabase();
  await up(database.url, shop);
  await database.query("alter table shop.item enable row level security");
  const state = await up(database.url, project.layer("secured", SECURED, { base }));
  await destroy(database.url, state);
  expect(
    await database.query(
      "select relname, relrowsecurity from pg_class where oid in ('shop.item'::regclass, 'shop.orders'::regclass) order by 1",
    ),
  ).toEqual([
    { relname: "item", relrowsecurity: true },
    { relname: "orders", relrowsecurity: false },
  ]);
});

test("row security that was on before stays on also after the layer was updated in between", async () => {
  const database = await freshDatabase();
  await up(database.url, shop);
  await database.query("alter table shop.item enable row level security");
  const first = await up(database.url, project.layer("secured2", SECURED, { base }));
  const second = await up(
    database.url,
    project.layer("secured2", `${SECURED} create policy p on shop.item using (true);`, { base }),
    first,
  );
  await destroy(database.url, second);
  expect(
    await database.query(
      "select relname, relrowsecurity from pg_class where oid in ('shop.item'::regclass, 'shop.orders'::regclass) order by 1",
    ),
  ).toEqual([
    { relname: "item", relrowsecurity: true },
    { relname: "orders", relrowsecurity: false },
  ]);
});

test("a right that the layer took from the public of what it assumes comes back", async () => {
  const database = await freshDatabase();
  const legacy =
    "create schema legacy; create function legacy.one() returns int language sql as 'select 1'; grant usage on schema legacy to public;";
  await database.query(legacy);
  project.write("legacy.sql", legacy);
  const state = await up(
    database.url,
    project.layer("closing", "revoke usage on schema legacy from public;", { assumes: ["legacy.sql"] }),
  );
  const may = "select has_schema_privilege('public', 'legacy', 'usage') as may";
  expect(await database.query(may)).toEqual([{ may: false }]);
  expect(await pending(database.url, state)).toEqual([]);
  await destroy(database.url, state);
  expect(await database.query(may)).toEqual([{ may: true }]);
});

test("a destroy of what is gone already, or of a part of it, succeeds", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop);
  await database.query("drop table shop.orders");
  await destroy(database.url, state);
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
  await destroy(database.url, state);
});

test("a destroy does not need the layer's files", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", SHOP));
  await destroy(database.url, { ...state, inputs: { ...state.inputs, files: ["no/longer/there.sql"] } });
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("a table whose rows a policy hides is destroyed when they are gone, and not before", async () => {
  const database = await freshDatabase();
  const state = await up(
    database.url,
    project.layer(
      "hidden",
      `${SHOP} alter table shop.item enable row level security; alter table shop.item force row level security;`,
    ),
  );
  await database.query("insert into shop.item values (1, 'pen')");
  await expect(destroy(database.url, state)).rejects.toThrow("Refused to drop what holds rows: table shop.item.");
  await database.query("delete from shop.item");
  await destroy(database.url, state);
  expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("partitions and a materialized view go with their layer; rows in a partition count", async () => {
  const database = await freshDatabase();
  const sql = `
    create schema log;
    create table log.entry (day date not null, text text) partition by range (day);
    create table log.entry_2026 partition of log.entry for values from ('2026-01-01') to ('2027-01-01');
    create materialized view log.days as select distinct day from log.entry;`;
  const state = await up(database.url, project.layer("log", sql));
  await database.query("insert into log.entry values ('2026-06-01', 'x')");
  await expect(destroy(database.url, state)).rejects.toThrow(/Refused to drop what holds rows: .*log\.entry/);
  await database.query("delete from log.entry");
  await destroy(database.url, state);
  expect(await database.query("select from pg_namespace where nspname = 'log'")).toEqual([]);
});
