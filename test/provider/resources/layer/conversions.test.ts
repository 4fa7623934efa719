import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, preview, project, sqlOf, up, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();
const app = (columns: string, more = {}) =>
  project.layer("app", `create schema app;\ncreate table app.t (\n  id int primary key,\n  ${columns}\n);`, more);
const allow = (...approvals: string[]) => ({ allow: approvals });

test("a change of type without a cast stops in the preview and says how to give the conversion", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("at bigint not null"));
  await expect(preview(database.url, [app("at timestamptz not null")], [state])).rejects.toThrow(
    /changed from bigint to timestamp with time zone, for which the server has no cast.*-- converted by: .*conversions: \{ "app.t.at": /s,
  );
});

test("it says so as well of a type that comes with the same update", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("at point"));
  const sql =
    "create schema app; create schema more; create type more.place as (x float8, y float8); create table app.t (id int primary key, at more.place);";
  await expect(preview(database.url, [project.layer("app", sql)], [state])).rejects.toThrow(
    /cannot cast type point to more.place .*-- converted by: .*conversions: \{ "app.t.at": /s,
  );
});

test.each([
  ["a comment", "at timestamptz not null default now() -- converted by: to_timestamp(at / 1000.0)", {}],
  ["an input", "at timestamptz not null default now()", { conversions: { "app.t.at": "to_timestamp(at / 1000.0)" } }],
])("a type changes by the expression of %s, which may stay when its work is done", async (_what, column, more) => {
  const database = await freshDatabase();
  const state = await up(database.url, app("at bigint not null default 5"));
  await database.query("insert into app.t values (1, 1700000000000)");
  const approved = allow("change-type:app.t.at", "rewrite-table:app.t");
  const done = await up(database.url, app(column, { ...more, ...approved }), state);
  expect(await database.query("select from app.t where at = to_timestamp(1700000000)")).toHaveLength(1);
  expect(await pending(database.url, done)).toEqual([]);
  const again = await up(database.url, app(`more int,\n  ${column}`, more), done);
  expect(await pending(database.url, again)).toEqual([]);
});

test.each([
  ["to_timestamp(ad)", 'column "ad" does not exist'],
  ["nowhere.to_timestamp(at)", 'schema "nowhere" does not exist'],
  ["now() + at * 'a second'::interval", 'invalid input syntax for type interval: "a second"'],
])("the conversion %s is refused in the preview, with its place and what the server says", async (by, refusal) => {
  const database = await freshDatabase();
  const state = await up(database.url, app("at bigint not null"));
  const layer = app(`at timestamptz not null -- converted by: ${by}`);
  await expect(preview(database.url, [layer], [state])).rejects.toThrow(
    `.sql:4: found the conversion "${by}" of column app.t.at, which the server refuses: ${refusal}`,
  );
});

test("a column may get a type, by a function if need be, whose schema comes with the same update", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("a text, b int"));
  const sql = `create schema app;
create schema more;
create domain more.word as text;
create function more.half(n int) returns bigint language sql immutable as $$ select n / 2 $$;
create table app.t (
  id int primary key,
  a more.word,
  b bigint -- converted by: more.half(b)
);`;
  await database.query("insert into app.t values (1, 'x', 8)");
  const done = await up(
    database.url,
    project.layer("app", sql, allow("change-type:app.t.a", "rewrite-table:app.t")),
    state,
  );
  expect(await database.query("select a, b::int from app.t")).toEqual([{ a: "x", b: 4 }]);
  expect(await pending(database.url, done)).toEqual([]);
});

const plus = (more: number): string =>
  `create function app.plus(n int) returns bigint language sql immutable as $$ select n + ${more} $$;`;

test.each([
  ["that the database has", plus(1), plus(1), 2],
  ["that comes with it", "", plus(1), 2],
  ["that changes with it", plus(1), plus(2), 3],
  [
    "whose text calls one that changes with it",
    plus(1),
    `${plus(2)} create function app.a(n int) returns bigint language sql immutable as $$ select app.plus(n) $$;`,
    3,
  ],
])("a conversion may call a function %s, as the files have it", async (_which, before, after, value) => {
  const database = await freshDatabase();
  const withFunctions = (functions: string, column: string, more = {}) => {
    const sql = `create schema app;\n${functions}\ncreate table app.t (\n  id int primary key,\n  ${column}\n);`;
    return project.layer("app", sql, more);
  };
  const state = await up(database.url, withFunctions(before, "a int not null"));
  await database.query("insert into app.t values (1, 1)");
  const call = after.includes("app.a(") ? "app.a(a)" : "app.plus(a)";
  const column = `a bigint not null -- converted by: ${call}`;
  await up(database.url, withFunctions(after, column, allow("rewrite-table:app.t")), state);
  expect(await database.query("select a::int from app.t")).toEqual([{ a: value }]);
});

test("a conversion may call a function that a layer below gets in the same update", async () => {
  const database = await freshDatabase();
  const low = (sql = "") => project.layer("low", `create schema low; ${sql}`);
  const more = { base: [{ name: "low", files: ["low.sql"] }], ...allow("rewrite-table:app.t") };
  const states = await upAll(database.url, [low(), app("a int", more)]);
  await database.query("insert into app.t values (1, 8)");
  const half = low("create function low.half(n int) returns bigint language sql immutable as 'select n / 2';");
  const layers = [half, app("a bigint -- converted by: low.half(a)", more)];
  const plans = await preview(database.url, layers, states);
  expect(plans.flatMap(sqlOf).join("\n")).toContain("low.half(a)");
  await upAll(database.url, layers, states);
  expect(await database.query("select a::int from app.t")).toEqual([{ a: 4 }]);
});

test("new columns are filled in from old ones that go with the same update, in batches", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("name text not null"));
  await database.query("insert into app.t select g, 'A' || g || ' B' || g from generate_series(1, 6000) g");
  const layer = app(
    `first text not null, -- converted by: split_part(name, ' ', 1)
  last text not null default 'none' -- converted by: split_part(name, ' ', 2)`,
    allow("drop-column:app.t.name"),
  );
  const done = await up(database.url, layer, state);
  expect(await database.query("select first, last from app.t where id = 6000")).toEqual([
    { first: "A6000", last: "B6000" },
  ]);
  await database.query("insert into app.t values (0, 'x')");
  expect(await database.query("select last from app.t where id = 0")).toEqual([{ last: "none" }]);
  expect(await pending(database.url, done)).toEqual([]);
});

test("a new column that may be empty is filled in at once, which copies the table and is asked for", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("a int, b int"));
  await database.query("insert into app.t values (1, 2, 3), (2, null, 3)");
  const column = "total int default 7 -- converted by: a + b";
  const approvals = ["drop-column:app.t.a", "drop-column:app.t.b"];
  await expect(up(database.url, app(column, allow(...approvals)), state)).rejects.toThrow("rewrite-table:app.t");
  const done = await up(database.url, app(column, allow(...approvals, "rewrite-table:app.t")), state);
  expect(await database.query("select total from app.t order by id")).toEqual([{ total: 5 }, { total: null }]);
  expect(await pending(database.url, done)).toEqual([]);
});

test("a column becomes NOT NULL with values from others", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app("name text, title text"));
  await database.query("insert into app.t values (1, 'one', null), (2, 'two', 'kept')");
  const done = await up(database.url, app("name text, title text not null -- converted by: upper(name)"), state);
  expect(await database.query("select title from app.t order by id")).toEqual([{ title: "ONE" }, { title: "kept" }]);
  expect(await pending(database.url, done)).toEqual([]);
});

test.each([
  ["at int -- convert by: a", 'found the comment "convert by: a", expected "converted by: " and an expression'],
  ["at int, check (at > 0) -- converted by: a", "where no column is"],
])("a comment that reads like a conversion and is none is refused: %s", async (columns, message) => {
  const { url } = await freshDatabase();
  await expect(up(url, app(columns))).rejects.toThrow(message);
});

test("a conversion of a column that the layer does not declare is refused", async () => {
  const { url } = await freshDatabase();
  await expect(up(url, app("at int", { conversions: { "app.t.ad": "1" } }))).rejects.toThrow(
    'conversions["app.t.ad"]: found a conversion of app.t.ad, which the layer does not declare',
  );
});
