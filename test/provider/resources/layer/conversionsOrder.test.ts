import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, preview, project, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();
const app = (columns: string, more = {}, before = "") =>
  project.layer(
    "app",
    `create schema app;\n${before}\ncreate table app.t (\n  id int primary key,\n  ${columns}\n);`,
    more,
  );
const REWRITE = "rewrite-table:app.t";
const approved = (...columns: string[]) => ({
  allow: [REWRITE, ...columns.map((name) => `change-type:app.t.${name}`)],
});

test.each([
  ["a few rows", 2],
  ["more rows than a batch has", 6000],
])("a new NOT NULL column gets the values that another one had before its own conversion: %s", async (_what, rows) => {
  const database = await freshDatabase();
  const state = await up(database.url, app("cents int"));
  await database.query(`insert into app.t select n, n * 100 from generate_series(1, ${rows}) n`);
  const layer = app(
    "cents numeric(8,2), -- converted by: cents / 100.0\n  before numeric not null -- converted by: cents",
    approved("cents"),
  );
  const done = await up(database.url, layer, state);
  expect(await database.query("select cents::text, before::text from app.t where id = 2")).toEqual([
    { cents: "2.00", before: "200" },
  ]);
  expect(await database.query("select from app.t where before is distinct from id * 100")).toEqual([]);
  expect(await pending(database.url, done)).toEqual([]);
  await expect(database.query("insert into app.t values (0, 0)")).rejects.toThrow("not-null");
});

test("that copies the table in the transaction, which is asked for", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("v varchar(10)"));
  await database.query("insert into app.t values (1, 'x')");
  const columns = "v varchar(20), -- converted by: v || '!'\n  before text not null -- converted by: v";
  await expect(up(database.url, app(columns), state)).rejects.toThrow(REWRITE);
  await up(database.url, app(columns, approved()), state);
  expect(await database.query("select v, before from app.t")).toEqual([{ v: "x!", before: "x" }]);
});

test("values are those of before also where a column gets another name, or becomes an enum", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("qty int, st text"));
  await database.query("insert into app.t values (1, 25, 'new'), (2, 30, 'old')");
  const layer = app(
    `-- renamed from: qty
  -- converted by: amount / 10.0
  amount numeric(8,2),
  st app.status, -- converted by: upper(st)::app.status
  qty_before int not null default 7, -- converted by: amount
  st_before text not null default 'none' -- converted by: st`,
    approved("amount", "st"),
    "create type app.status as enum ('NEW', 'OLD');",
  );
  const done = await up(database.url, layer, state);
  expect(await database.query("select amount::text, st, qty_before, st_before from app.t order by id")).toEqual([
    { amount: "2.50", st: "NEW", qty_before: 25, st_before: "new" },
    { amount: "3.00", st: "OLD", qty_before: 30, st_before: "old" },
  ]);
  expect(await pending(database.url, done)).toEqual([]);
  await database.query("insert into app.t (id) values (3)");
  expect(await database.query("select qty_before, st_before from app.t where id = 3")).toEqual([
    { qty_before: 7, st_before: "none" },
  ]);
});

test("an expression may be one that the new type of a column would not take", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("a int, c int"));
  await database.query("insert into app.t values (1, 21, null), (2, 4, 5)");
  const columns = `a text, -- converted by: 'x' || a
  c int not null, -- converted by: a * 3
  b int not null -- converted by: a * 2`;
  const done = await up(database.url, app(columns, approved("a")), state);
  expect(await database.query("select a, b, c from app.t order by id")).toEqual([
    { a: "x21", b: 42, c: 63 },
    { a: "x4", b: 8, c: 5 },
  ]);
  expect(await pending(database.url, done)).toEqual([]);
});

test.each([
  ["a int, -- converted by: length(b)\n  b int -- converted by: length(b) * 10", { a: 3, b: 30 }],
  ["a int, -- converted by: length(a) * 10\n  b int -- converted by: length(a)", { a: 20, b: 2 }],
])("a column is converted by the values that another one had before its conversion: %s", async (columns, row) => {
  const database = await freshDatabase();
  const state = await up(database.url, app("a text, b text"));
  await database.query("insert into app.t values (1, 'aa', 'bbb')");
  await up(database.url, app(columns, approved("a", "b")), state);
  expect(await database.query("select a, b from app.t")).toEqual([row]);
});

test("columns that are converted by each other's values are refused", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("a text, b text"));
  await database.query("insert into app.t values (1, 'aa', 'bbb')");
  const layer = app("a int, -- converted by: length(b)\n  b int -- converted by: length(a)", approved("a", "b"));
  await expect(preview(database.url, [layer], [state])).rejects.toThrow(
    /reads column app\.t\.[ab], which is converted before it.*two updates/s,
  );
});

test("a conversion by the old name of a renamed column is refused in the preview, with its place", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("qty int"));
  const layer = app("-- renamed from: qty\n  -- converted by: qty / 10.0\n  amount numeric(8,2)", approved("amount"));
  await expect(preview(database.url, [layer], [state])).rejects.toThrow(
    /\.sql:6: found the conversion "qty \/ 10\.0" of column app\.t\.amount, .*column "qty" does not exist.*write the new name/,
  );
});
