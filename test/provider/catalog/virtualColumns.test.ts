import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { pending, preview, project, up } from "../../support/layerHarness.ts";
import { majorVersion } from "../../support/majorVersion.ts";

const freshDatabase = freshDatabases();

const item = (columns: string, allow: string[] = []) =>
  project.layer("shop", `create schema shop; create table shop.item (id int primary key, price int${columns});`, {
    allow,
  });

const kinds =
  "select attname::text as column, attgenerated::text as kind from pg_attribute where attrelid = 'shop.item'::regclass and attgenerated <> '' order by 1";

// Servers before 18 know no such columns.
test.runIf(majorVersion >= 18)("a generated column is stored or not, as its layer says", async () => {
  const database = await freshDatabase();
  const columns =
    ", double int generated always as (price * 2) virtual, half int generated always as (price / 2) stored";
  const state = await up(database.url, item(columns));
  expect(await database.query(kinds)).toEqual([
    { column: "double", kind: "v" },
    { column: "half", kind: "s" },
  ]);
  expect(await pending(database.url, state)).toEqual([]);
  await database.query("insert into shop.item values (1, 10)");

  // Nothing is copied for a column that is computed when it is read, and that is what the server makes where
  // nothing is said.
  const more = item(`${columns}, "more (1) STORED" text generated always as ('(1) STORED' || price::text)`);
  const [plan] = await preview(database.url, [more], [state]);
  expect(plan?.map(({ details }) => details)).toEqual([
    {
      sql: {
        1: [
          `ALTER TABLE "shop"."item" ADD COLUMN "more (1) STORED" text GENERATED ALWAYS AS (('(1) STORED'::text || (price)::text)) VIRTUAL`,
        ],
      },
      lock: "ACCESS EXCLUSIVE",
      rows: 1,
    },
  ]);
  const wider = await up(database.url, more, state);
  expect(await database.query("select * from shop.item")).toEqual([
    { id: 1, price: 10, double: 20, half: 5, "more (1) STORED": "(1) STORED10" },
  ]);
  expect(await pending(database.url, wider)).toEqual([]);

  const stored = columns.replace("virtual", "stored");
  await expect(up(database.url, item(stored), wider)).rejects.toThrow("rewrite-table:shop.item");
  const allow = ['drop-column:shop.item."more (1) STORED"', "rewrite-table:shop.item"];
  const narrow = await up(database.url, item(stored, allow), wider);
  expect(await database.query(kinds)).toEqual([
    { column: "double", kind: "s" },
    { column: "half", kind: "s" },
  ]);
  expect(await pending(database.url, narrow)).toEqual([]);
});
