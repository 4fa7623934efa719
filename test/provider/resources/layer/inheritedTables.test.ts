import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, project, up } from "../../../support/layerHarness.ts";

const fresh = freshDatabases();

const layer = (sql: string) => project.layer("inherited", sql);

async function columnsOf(query: Awaited<ReturnType<typeof fresh>>["query"], table: string): Promise<string[]> {
  const rows = await query<{ name: string }>(
    "select attname || case when attislocal then '' else ' (inherited)' end as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
    [table],
  );
  return rows.map(({ name }) => name);
}

test("a new table inherits its columns as its files say, and loses one with its parent", async () => {
  const { url, query } = await fresh();
  const before =
    "create table base (id int, y text); create table more (w int); create table one (x int) inherits (base); create table two (id int, z int) inherits (more, base);";
  let state = await up(url, layer(before));
  expect(await columnsOf(query, "one")).toEqual(["id (inherited)", "y (inherited)", "x"]);
  expect(await columnsOf(query, "two")).toEqual(["w (inherited)", "id", "y (inherited)", "z"]);
  const after = before.replace(", y text", "");
  state = await up(url, { ...layer(after), allow: ["drop-column:public.base.y"] }, state);
  expect(await columnsOf(query, "one")).toEqual(["id (inherited)", "x"]);
  expect(await pending(url, state)).toEqual([]);
});

test("a column that a table declares as well stays when its parent loses it, with its values", async () => {
  const { url, query } = await fresh();
  const tables = (columns: string) =>
    `create table base (id int${columns}); create table one (v int, x int) inherits (base); create table two () inherits (base);`;
  const state = await up(url, layer(tables(", v int")));
  await query("insert into one values (1, 2, 3)");
  const after = await up(url, { ...layer(tables("")), allow: ["drop-column:public.base.v"] }, state);
  expect(await query("select v from one")).toEqual([{ v: 2 }]);
  expect(await columnsOf(query, "two")).toEqual(["id (inherited)"]);
  expect(await pending(url, after)).toEqual([]);
});

test("a column goes from a table to one below it and back up, with its values", async () => {
  const { url, query } = await fresh();
  const above = "create table base (id int, v text not null default 'd'); create table one (x int) inherits (base);";
  const below = "create table base (id int); create table one (v text not null default 'd', x int) inherits (base);";
  const state = await up(url, layer(above));
  await query("insert into one (id, v, x) values (1, 'kept', 3)");
  const moved = await up(url, { ...layer(below), allow: ["drop-column:public.base.v"] }, state);
  expect(await query("select v from one")).toEqual([{ v: "kept" }]);
  expect(await pending(url, moved)).toEqual([]);
  const back = await up(url, layer(above), moved);
  expect(await query("select v from base")).toEqual([{ v: "kept" }]);
  expect(await pending(url, back)).toEqual([]);
});
