import { expect, test } from "vitest";
import type { ResourceState } from "../../../../provider/core/resourceType.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { checked, inRun, pending, preview, project, ROWS_UNASKED, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const BASE = "create schema shop; create table shop.item (id int primary key, name text, price int);";

/** A database in which the table holds rows. */
async function stocked(sql = BASE): Promise<{ database: TestDatabase; state: ResourceState }> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", sql));
  await database.query("insert into shop.item select n, 'item ' || n, n from generate_series(1, 12000) as n");
  return { database, state };
}

/** The statements that a preview shows for a change. */
async function planned(database: TestDatabase, state: ResourceState, sql: string): Promise<string[]> {
  const [plan] = await preview(database.url, [project.layer("shop", sql)], [state]);
  return sqlOf(plan);
}

async function indexes({ query }: TestDatabase): Promise<{ name: string; valid: boolean; columns: number }[]> {
  return query(
    "select c.relname as name, i.indisvalid as valid, i.indnkeyatts::int as columns from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = 'shop.item'::regclass and not i.indisprimary order by 1",
  );
}

const INDEXED = `${BASE} create index item_by_name on shop.item (name);`;

test("an index on a table with rows is built without blocking writes, one on an empty table in the transaction", async () => {
  const { database, state } = await stocked();
  expect(await planned(database, state, INDEXED)).toEqual([
    "CREATE INDEX CONCURRENTLY item_by_name ON shop.item USING btree (name)",
  ]);
  const after = await up(database.url, project.layer("shop", INDEXED), state);
  expect(await indexes(database)).toEqual([{ name: "item_by_name", valid: true, columns: 1 }]);
  expect(await pending(database.url, after)).toEqual([]);

  await database.query("delete from shop.item");
  const more = `${INDEXED} create index item_by_price on shop.item (price);`;
  expect(await planned(database, after, more)).toEqual(["CREATE INDEX item_by_price ON shop.item USING btree (price)"]);
});

test("an index that changes is replaced without a moment in which there is none", async () => {
  const { database, state } = await stocked(INDEXED);
  const wider = `${BASE} create index item_by_name on shop.item (name, price);`;
  expect(await planned(database, state, wider)).toEqual([
    "CREATE INDEX CONCURRENTLY item_by_name__pgstrata_new ON shop.item USING btree (name, price)",
    'DROP INDEX CONCURRENTLY IF EXISTS "shop"."item_by_name"',
    'ALTER INDEX "shop"."item_by_name__pgstrata_new" RENAME TO "item_by_name"',
  ]);
  const after = await up(database.url, project.layer("shop", wider), state);
  expect(await indexes(database)).toEqual([{ name: "item_by_name", valid: true, columns: 2 }]);
  expect(await pending(database.url, after)).toEqual([]);
});

test("what a killed build or replacement left behind is found and finished", async () => {
  const { database, state } = await stocked();
  await database.query("insert into shop.item values (0, 'item 1', 0)");
  // A failed build leaves an invalid index behind.
  await expect(database.query("create unique index concurrently item_by_name on shop.item (name)")).rejects.toThrow();
  expect(await indexes(database)).toEqual([{ name: "item_by_name", valid: false, columns: 1 }]);
  let after = await up(database.url, project.layer("shop", INDEXED), state);
  expect(await indexes(database)).toEqual([{ name: "item_by_name", valid: true, columns: 1 }]);

  await database.query("drop index shop.item_by_name");
  await database.query("create index item_by_name__pgstrata_new on shop.item (name)");
  expect(await planned(database, after, INDEXED)).toEqual([
    'ALTER INDEX "shop"."item_by_name__pgstrata_new" RENAME TO "item_by_name"',
  ]);
  after = await up(database.url, project.layer("shop", INDEXED), after);
  expect(await indexes(database)).toEqual([{ name: "item_by_name", valid: true, columns: 1 }]);
});

test("constraints and not null come in steps that do not scan under a strong lock", async () => {
  const { database, state } = await stocked();
  const strict = `create schema shop; create table shop.item (id int primary key, name text unique, price int not null,
    constraint item_price check (price > 0));`;
  expect(await planned(database, state, strict)).toEqual(
    expect.arrayContaining([
      'ALTER TABLE "shop"."item" ADD CONSTRAINT "item_price" CHECK ((price > 0)) NOT VALID',
      'ALTER TABLE "shop"."item" VALIDATE CONSTRAINT "item_price"',
      'ALTER TABLE "shop"."item" ADD CONSTRAINT "pgstrata_not_null_price" CHECK ("price" IS NOT NULL) NOT VALID',
      'ALTER TABLE "shop"."item" ALTER COLUMN "price" SET NOT NULL, DROP CONSTRAINT "pgstrata_not_null_price"',
      'CREATE UNIQUE INDEX CONCURRENTLY "item_name_key" ON "shop"."item" (name)',
      'ALTER TABLE "shop"."item" ADD CONSTRAINT "item_name_key" UNIQUE USING INDEX "item_name_key"',
    ]),
  );
  const after = await up(database.url, project.layer("shop", strict), state);
  expect(await pending(database.url, after)).toEqual([]);
  await expect(database.query("insert into shop.item values (-1, 'new', null)")).rejects.toThrow(/null/);
});

test("a column with another default in each row is filled in by batches", async () => {
  const { database, state } = await stocked();
  const tagged = `create schema shop; create table shop.item (id int primary key, name text, price int, tag uuid not null default gen_random_uuid());`;
  const statements = await planned(database, state, tagged);
  expect(statements[0]).toBe('ALTER TABLE "shop"."item" ADD COLUMN "tag" uuid');
  const after = await up(database.url, project.layer("shop", tagged), state);
  expect(await database.query("select count(distinct tag)::int as tags from shop.item")).toEqual([{ tags: 12000 }]);
  expect(await pending(database.url, after)).toEqual([]);
});

test("a new column whose filling in was cut short is filled in by the next run", async () => {
  const { database, state } = await stocked();
  const tagged =
    "create schema shop; create table shop.item (id int primary key, name text, price int, tag uuid not null default gen_random_uuid());";
  const soon = (await planned(database, state, tagged)).slice(0, 3);
  expect(soon[2]).toContain("NOT VALID");
  for (const sql of soon) await database.query(sql);
  await database.query("update shop.item set tag = default where id <= 5000");
  const kept = await database.query("select id, tag from shop.item where id <= 5000 order by id");

  const after = await up(database.url, project.layer("shop", tagged), state);
  expect(await database.query("select count(distinct tag)::int as tags from shop.item")).toEqual([{ tags: 12000 }]);
  expect(await database.query("select id, tag from shop.item where id <= 5000 order by id")).toEqual(kept);
  expect(await pending(database.url, after)).toEqual([]);
});

test("a column that may be empty but has another default in each row would copy the table, and is refused", async () => {
  const { database, state } = await stocked();
  const optional = `create schema shop; create table shop.item (id int primary key, name text, price int, tag uuid default gen_random_uuid());`;
  await expect(up(database.url, project.layer("shop", optional), state)).rejects.toThrow("rewrite-table:shop.item");
  await up(database.url, project.layer("shop", optional, { allow: ["rewrite-table:shop.item"] }), state);
  expect(await database.query("select count(distinct tag)::int as tags from shop.item")).toEqual([{ tags: 12000 }]);
});

test("rows that do not fit leave nothing behind: no invalid index, no half constraint", async () => {
  const { database, state } = await stocked();
  await database.query("insert into shop.item values (0, 'item 1', -5)");
  const unique = `${BASE} alter table shop.item add constraint item_once unique (name); create table shop.tag (id int);`;
  await expect(up(database.url, project.layer("shop", unique), state, ROWS_UNASKED)).rejects.toThrow(
    /23505[\s\S]*nothing was changed/,
  );
  expect(await indexes(database)).toEqual([]);
  const positive = `${BASE} alter table shop.item add constraint item_price check (price > 0); create table shop.tag (id int);`;
  await expect(up(database.url, project.layer("shop", positive), state, ROWS_UNASKED)).rejects.toThrow(
    /23514[\s\S]*nothing was changed/,
  );
  expect(
    await database.query("select conname from pg_constraint where conrelid = 'shop.item'::regclass and contype = 'c'"),
  ).toEqual([]);
  expect(await database.query("select to_regclass('shop.tag') as tag")).toEqual([{ tag: null }]);
});

test("a misspelt approval is told of where the plan stops and where it does not, and one that has done its work may stay", async () => {
  const { database, state } = await stocked();
  const narrow = "create schema shop; create table shop.item (id int primary key, name text);";
  const allow = ["drop-column:shop.item.price"];
  await expect(
    up(database.url, project.layer("shop", narrow, { allow: ["drop-column:shop.item.prise"] }), state),
  ).rejects.toThrow(
    /PS202: drops column shop.item.price, which about.*`drop-column:shop.item.prise`, expected `drop-column:shop.item.price`/s,
  );
  const both = project.layer("shop", narrow, { allow: [...allow, "drop-column:shop.item.prise"] });
  const warnings = await inRun(database.url, async (run) => {
    await run.layer.update(run.context(true), state, await checked(run, both, state.inputs));
    return run.said.warnings;
  });
  expect(warnings.join("\n")).toContain(
    'the layer\'s `allow` has "drop-column:shop.item.prise", which names nothing that exists. Did you mean "drop-column:shop.item.price"?',
  );
  expect(await database.query("select count(price)::int as prices from shop.item")).toEqual([{ prices: 12000 }]);
  const after = await up(database.url, project.layer("shop", narrow, { allow }), state);
  expect(await up(database.url, project.layer("shop", narrow, { allow }), after)).toMatchObject({ id: "shop" });
});

/** A partitioned table with rows in two partitions. */
const PARTITIONED = `create schema shop; create table shop.item (id int not null, at date not null, note text) partition by range (at);
  create table shop.item_2025 partition of shop.item for values from ('2025-01-01') to ('2026-01-01');
  create table shop.item_2026 partition of shop.item for values from ('2026-01-01') to ('2027-01-01');`;

async function partitioned(): Promise<{ database: TestDatabase; state: ResourceState }> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", PARTITIONED));
  await database.query(
    "insert into shop.item select n, date '2025-01-01' + n % 2 * 365, 'note' from generate_series(1, 1000) as n",
  );
  return { database, state };
}

const INDEX_PARTS = `select i.indrelid::regclass::text as table, i.indisvalid as valid from pg_index i where i.indrelid::regclass::text like 'shop.item%' order by 1`;
const ON_ALL_PARTS = ["shop.item", "shop.item_2025", "shop.item_2026"].map((table) => ({ table, valid: true }));

test("an index of a partitioned table is one of each partition, built without blocking writes where there are rows", async () => {
  const indexed = `${PARTITIONED} create index item_by_id on shop.item (id);`;
  const fresh = await freshDatabase();
  await up(fresh.url, project.layer("shop", indexed));
  expect(await fresh.query(INDEX_PARTS)).toEqual(ON_ALL_PARTS);

  const { database, state } = await partitioned();
  expect(await planned(database, state, indexed)).toEqual([
    'CREATE INDEX CONCURRENTLY item_2025_item_by_id ON "shop"."item_2025" USING btree (id)',
    'CREATE INDEX CONCURRENTLY item_2026_item_by_id ON "shop"."item_2026" USING btree (id)',
    "CREATE INDEX item_by_id ON shop.item USING btree (id)",
  ]);
  // As a run leaves it that ends in between.
  await database.query("create index item_2025_item_by_id on shop.item_2025 (id)");
  const after = await up(database.url, project.layer("shop", indexed), state);
  expect(await database.query(INDEX_PARTS)).toEqual(ON_ALL_PARTS);
  expect(await pending(database.url, after)).toEqual([]);
});

test("an index of a partitioned table is not built on a partition that goes in the same update", async () => {
  const { database, state } = await partitioned();
  const without = PARTITIONED.replace(/create table shop\.item_2026 [^;]*;/, "");
  expect(without).not.toBe(PARTITIONED);
  // The function comes with the transaction, and so the index after it.
  const twice = "create function shop.twice(n int) returns int language sql immutable return n * 2;";
  const next = project.layer("shop", `${without} ${twice} create index item_by_id on shop.item (shop.twice(id));`, {
    allow: ["drop-table:shop.item_2026"],
  });
  const after = await up(database.url, next, state);
  expect(await pending(database.url, after)).toEqual([]);
});

test("a unique constraint of a partitioned table with rows is refused, until somebody approves", async () => {
  const { database, state } = await partitioned();
  const unique = `${PARTITIONED} alter table shop.item add constraint item_once unique (id, at);`;
  await expect(up(database.url, project.layer("shop", unique), state, ROWS_UNASKED)).rejects.toThrow(
    "build-constraint:shop.item.item_once",
  );
  const allow = ["build-constraint:shop.item.item_once"];
  const after = await up(database.url, project.layer("shop", unique, { allow }), state);
  expect(await pending(database.url, after)).toEqual([]);
});

test("a column of a partitioned table is filled in once for each row, in every partition", async () => {
  const { database, state } = await partitioned();
  const tagged = PARTITIONED.replace("note text", "note text, tag uuid not null default gen_random_uuid()");
  const soon = (await planned(database, state, tagged)).slice(0, 3);
  for (const sql of soon) await database.query(sql);
  // Half of the rows have their value already, at the same places of one partition as rows without one of the
  // other.
  await database.query("update shop.item_2025 set tag = default");
  await database.query("vacuum full shop.item_2025");
  const kept = await database.query("select id, tag from shop.item_2025 order by id");
  const after = await up(database.url, project.layer("shop", tagged), state);
  expect(await database.query("select id, tag from shop.item_2025 order by id")).toEqual(kept);
  expect(await database.query("select count(distinct tag)::int as tags from shop.item")).toEqual([{ tags: 1000 }]);
  expect(await pending(database.url, after)).toEqual([]);
});
