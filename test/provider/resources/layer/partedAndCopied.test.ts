import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, preview, project, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const COLUMNS = "(a int, b text, primary key (a, b))";
const ROOT = `create table public.pt ${COLUMNS}`;
const PARTITIONED = `${ROOT} partition by list (b);`;
const layer = (sql: string) =>
  project.layer("parted", sql, {
    allow: ["pt", "pt_y", "qt", "why"].flatMap((name) => [
      `rewrite-table:public.${name}`,
      `build-constraint:public.${name}.${name}_pkey`,
    ]),
  });
const part = (name: string, parent: string, bound: string): string =>
  `create table public.${name} partition of public.${parent} ${bound};`;
const X = part("pt_x", "pt", "for values in ('x')");
const Y = part("pt_y", "pt", "for values in ('y')");
const Y_IN_PARTS = `${part("pt_y", "pt", "for values in ('y') partition by range (a)")} ${part("pt_y_all", "pt_y", "default")}`;

/** How many rows lie in each table, after an update from one text to another and back to no change. */
async function rowsAfter(before: string, after: string, places: readonly string[]): Promise<Record<string, number>> {
  const database = await freshDatabase();
  const state = await up(database.url, layer(before));
  await database.query(
    "insert into pt select g, case when g % 2 = 0 then 'x' else 'y' end from generate_series(1, 10) g",
  );
  const [plan] = await preview(database.url, [layer(after)], [state]);
  expect(sqlOf(plan).filter((sql) => /^DROP TABLE (?!"pgstrata_copy_)/.test(sql))).toEqual([]);
  const next = await up(database.url, layer(after), state);
  expect(await pending(database.url, next)).toEqual([]);
  const found: Record<string, number> = {};
  for (const place of places) {
    const [row] = await database.query(`select count(*)::int as n from ${place}`);
    found[place] = Number(row?.n);
  }
  expect(await database.query("select nspname from pg_namespace where nspname like 'pgstrata%'")).toEqual([]);
  return found;
}

test("a partition that becomes a table keeps its rows while its parent stops being partitioned", async () => {
  const after = `${ROOT}; create table public.pt_y ${COLUMNS};`;
  expect(await rowsAfter(PARTITIONED + X + Y, after, ["pt", "pt_y"])).toEqual({ pt: 5, pt_y: 5 });
});

test("a partition that becomes a table of another name keeps its rows while its parent is partitioned otherwise", async () => {
  const after = `${ROOT} partition by range (a); ${part("pt_x", "pt", "default")}
    -- renamed from: pt_y
    create table public.why ${COLUMNS};`;
  expect(await rowsAfter(PARTITIONED + X + Y, after, ["pt", "why"])).toEqual({ pt: 5, why: 5 });
});

test("rows of a partition that becomes a table need no partition of the table that they leave", async () => {
  const after = `${ROOT} partition by range (a); ${part("pt_x", "pt", "for values from (2) to (11)")}
    -- renamed from: pt_y
    create table public.why ${COLUMNS} partition by range (a); ${part("pt_y_all", "why", "default")}`;
  expect(await rowsAfter(PARTITIONED + X + Y_IN_PARTS, after, ["pt", "why"])).toEqual({ pt: 5, why: 5 });
});

test("a partition of a partition becomes a table while the topmost table stops being partitioned", async () => {
  const after = `${ROOT}; create table public.pt_y_all ${COLUMNS};`;
  expect(await rowsAfter(PARTITIONED + X + Y_IN_PARTS, after, ["pt", "pt_y_all"])).toEqual({ pt: 5, pt_y_all: 5 });
});

test("a partition and its parent stop being partitioned at once, each with its own rows", async () => {
  const after = `${ROOT}; create table public.pt_y ${COLUMNS};`;
  expect(await rowsAfter(PARTITIONED + X + Y_IN_PARTS, after, ["pt", "pt_y"])).toEqual({ pt: 5, pt_y: 5 });
});

test("a partition takes its partitions along while its parent stops being partitioned", async () => {
  const after = `${ROOT}; create table public.pt_y ${COLUMNS} partition by range (a); ${part("pt_y_all", "pt_y", "default")}`;
  expect(await rowsAfter(PARTITIONED + X + Y_IN_PARTS, after, ["pt", "pt_y_all"])).toEqual({ pt: 5, pt_y_all: 5 });
});

test("a partition goes to another table with its rows while both tables are partitioned otherwise", async () => {
  const other = `create table public.qt ${COLUMNS}`;
  const after = `${ROOT}; ${other} partition by list (b); ${part("pt_y", "qt", "for values in ('y')")}`;
  for (const key of ["", " partition by range (a)"])
    expect(await rowsAfter(`${PARTITIONED + X + Y} ${other}${key};`, after, ["pt", "qt", "pt_y"])).toEqual({
      pt: 5,
      qt: 5,
      pt_y: 5,
    });
});

test("a partition comes to inherit from its table with its rows where that stops being partitioned", async () => {
  const after = `${ROOT}; create table public.pt_y (primary key (a, b)) inherits (public.pt);`;
  expect(await rowsAfter(PARTITIONED + X + Y, after, ["only pt", "pt_y"])).toEqual({ "only pt": 5, pt_y: 5 });
});

test("an inheriting table becomes one of its own with its rows while its parent becomes partitioned", async () => {
  const database = await freshDatabase();
  const child = "create table public.child (more text) inherits (public.pt);";
  const state = await up(database.url, layer(`${ROOT}; ${child}`));
  await database.query("insert into pt values (1, 'x'); insert into child values (2, 'y', 'z')");
  const alone = "create table public.child (a int not null, b text not null, more text);";
  const next = await up(database.url, layer(`${PARTITIONED} ${X} ${alone}`), state);
  expect(await pending(database.url, next)).toEqual([]);
  expect(await database.query("select a from pt")).toEqual([{ a: 1 }]);
  expect(await database.query("select * from child")).toEqual([{ a: 2, b: "y", more: "z" }]);
});

test("an inheriting table with a column of its own becomes no partition while its parent becomes partitioned", async () => {
  const database = await freshDatabase();
  const child = "create table public.child (more text) inherits (public.pt);";
  const state = await up(database.url, layer(`${ROOT}; ${child}`));
  await database.query("insert into child values (2, 'y', 'z')");
  const after = layer(PARTITIONED + part("child", "pt", "default"));
  await expect(up(database.url, after, state)).rejects.toThrow("drops or converts columns of it (more)");
  expect(await database.query("select more from child")).toEqual([{ more: "z" }]);
});
