import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { pending, preview, project, sqlOf, up, upAll } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

/** A table with what hangs on it. Two comments say what the table and its column were called. */
function renamable(
  table: string,
  column: string,
  comments: [string, string] = ["", ""],
): ReturnType<typeof project.layer> {
  return project.layer(
    "renamed",
    [
      "create schema s;",
      comments[0],
      `create table s.${table} (id int constraint one_key primary key, b int,`,
      comments[1],
      `${column} text);`,
      `alter table s.${table} alter ${column} set storage external; alter table s.${table} alter b set statistics 500;`,
      `alter table s.${table} cluster on one_key; create statistics s.st on ${column}, b from s.${table};`,
    ].join("\n"),
  );
}

test("what hangs on a table and its columns goes along when they are renamed", async () => {
  const database = await freshDatabase();
  let state = await up(database.url, renamable("old", "a"));
  const layer = renamable("new", "c", ["-- renamed from: old", "-- renamed from: a"]);
  const [plan] = await preview(database.url, [layer], [state]);
  expect(sqlOf(plan).filter((sql) => !/ RENAME /.test(sql))).toEqual([]);
  state = await up(database.url, layer, state);
  expect(await pending(database.url, state)).toEqual([]);
});

test("a column of another type keeps the storage that is declared, and what an operator stands on comes back", async () => {
  const database = await freshDatabase();
  const saying = (type: string, result: string): ReturnType<typeof project.layer> =>
    project.layer(
      "retyped",
      `create schema s; create table s.t (id int primary key, a ${type});
      alter table s.t alter a set storage external;
      create function s.same(${result}, int) returns bool language sql immutable as 'select $1 = $2';
      create operator s.=== (leftarg = ${result}, rightarg = int, function = s.same);`,
    );
  let state = await up(database.url, saying("text", "int"));
  await database.query("insert into s.t values (1, 'x')");
  state = await up(database.url, { ...saying("varchar", "bigint"), allow: [] }, state);
  expect(await pending(database.url, state)).toEqual([]);
  expect(
    await database.query(
      "select attstorage::text as storage from pg_attribute where attrelid = 's.t'::regclass and attname = 'a'",
    ),
  ).toEqual([{ storage: "e" }]);
});

test("a layer may set what a table of its base leaves open, and takes it back alone", async () => {
  const database = await freshDatabase();
  const base = project.layer("below", "create schema s; create table s.t (id int primary key, a text);");
  const above = (sql: string): ReturnType<typeof project.layer> => ({
    ...project.layer("above", sql),
    base: [{ name: "below", files: ["below.sql"] }],
  });
  const states = await upAll(database.url, [base, above("alter table s.t alter a set statistics 77;")]);
  for (const state of states) expect(await pending(database.url, state)).toEqual([]);
  const [, plan] = await preview(database.url, [base, above("select 1;")], states);
  expect(sqlOf(plan)).toEqual(['ALTER TABLE ONLY "s"."t" ALTER COLUMN "a" SET STATISTICS -1']);
});

test("what an extension brings is its own", async () => {
  const database = await freshDatabase();
  const layer = project.layer(
    "extension",
    "create schema s; create extension citext schema s; create extension btree_gist schema s;",
  );
  const [plan] = await preview(database.url, [layer]);
  expect(sqlOf(plan).filter((sql) => !/^(CREATE SCHEMA|CREATE EXTENSION|COMMENT ON EXTENSION) /.test(sql))).toEqual([]);
  const state = await up(database.url, layer);
  expect(await pending(database.url, state)).toEqual([]);
});
