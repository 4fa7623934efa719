import { expect, test } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { checked, inRun, type LayerRun, preview, project, put, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const shop = (sql: string, more: Properties = {}): Properties =>
  project.layer("shop", `create schema shop; ${sql}`, more);

const ITEM = "create table shop.item (id int primary key, price int, name text);";
const ROWS = "insert into shop.item values (1, 5, 'a'), (2, null, 'a'), (3, 7, 'secret')";

test("rows that do not allow a statement stop the preview and the update, with their number, query and what to do", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query(ROWS);
  const next = shop("create table shop.item (id int primary key, price int not null check (price < 7), name text);");
  const message = [
    "Stopped before the first statement, because of existing rows:",
    '  PS310: found 1 row of shop.item without a value in price, expected none for: ALTER TABLE "shop"."item" ALTER COLUMN "price" SET NOT NULL',
    '    To list them: SELECT "id" FROM "shop"."item" WHERE "price" IS NULL',
    '    Give them one (UPDATE … SET "price" = … WHERE "price" IS NULL), or leave NOT NULL out until they have one.',
    '  PS310: found 1 row of shop.item that CHECK ((price < 7)) refuses, expected none for: ALTER TABLE "shop"."item" ADD CONSTRAINT "item_price_check" CHECK ((price < 7))',
    '    To list them: SELECT "id" FROM "shop"."item" WHERE NOT ((price < 7))',
    "    Correct them, or declare the constraint NOT VALID, so that it holds for new rows, and remove NOT VALID once the existing rows are corrected.",
    "Nothing was changed.",
  ].join("\n");
  await expect(preview(database.url, [next], [state])).rejects.toThrow(message);
  await expect(up(database.url, next, state)).rejects.toThrow(message);
  await database.query("update shop.item set price = 1");
  await up(database.url, next, state);
});

test("rows are asked under the names that the database has, while renames are pending, in layers above too", async () => {
  const database = await freshDatabase();
  const below = shop(ITEM);
  const over = (sql: string): Properties =>
    project.layer("above", sql, { base: [{ name: "shop", files: ["shop.sql"] }] });
  const states = await inRun(database.url, async (run) => [
    await put(run, below),
    await put(run, over("create view shop.names as select id from shop.item;")),
  ]);
  await database.query(ROWS);
  const next = shop(`create table shop.article ( -- renamed from: item
      id int primary key,
      cost int not null check (cost < 7), -- renamed from: price
      name text unique);`);
  await expect(preview(database.url, [next], states)).rejects.toThrow(
    /1 row of shop.article without a value in cost.*\n.*SELECT "id" FROM \(SELECT ctid, tableoid, "price" AS "cost", "id" FROM "shop"."item"\) AS "article" WHERE "cost" IS NULL[\s\S]*1 row of shop.article that CHECK \(\(cost < 7\)\) refuses[\s\S]*1 value of \(name\) in more than one row of shop.article/,
  );
  const renamed = shop(`create table shop.article ( -- renamed from: item
      id int primary key,
      cost int, -- renamed from: price
      name text);`);
  const above = over(
    "create view shop.names as select id from shop.article; create unique index on shop.article (name);",
  );
  await expect(preview(database.url, [renamed, above], states)).rejects.toThrow(
    /1 value of \(name\) in more than one row of shop.article.*\n.*FROM "shop"."item"/,
  );
});

test("a preview asks nothing of a table that a layer below it has still to make", async () => {
  const database = await freshDatabase();
  const above = project.layer("above", "alter table shop.item add constraint positive check (price > 0);", {
    base: [{ name: "shop", files: ["shop.sql"] }],
  });
  await inRun(database.url, async (run) => {
    for (const layer of [shop(ITEM), above]) await run.layer.create(run.context(true), await checked(run, layer));
    expect(run.said.warnings).toEqual([]);
  });
});

test("an update tells what it could not ask, and goes on", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query(ROWS);
  const update = async (run: LayerRun): Promise<void> => {
    await put(
      run,
      shop(`create function shop.fits(int) returns bool immutable language sql as 'select $1 > 0 and pg_sleep(0.3) is not null';
        create table shop.item (id int primary key, price int, name text, check (shop.fits(id)));`),
      state,
    );
    expect(run.said.warnings).toEqual([
      expect.stringContaining("PS217: not known whether there are rows of shop.item"),
    ]);
  };
  await inRun(database.url, update, { rowQuestionTimeoutMs: 100 });
});
