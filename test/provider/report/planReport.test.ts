import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { checked, inRun, pending, preview, project, sqlOf, up } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const TABLES = ["a", "b", "c"]
  .map(
    (name) =>
      `create table shop.${name} (id serial primary key, other int); create index ${name}_other on shop.${name} (other);`,
  )
  .join(" ");
const SHOP = `create schema shop; ${TABLES} grant select (id, other) on shop.a to pg_monitor; grant insert on shop.a to pg_monitor;`;

const names = (plan: { op: string; name: string }[] | undefined): string[] =>
  (plan ?? []).map(({ op, name }) => `${op} ${name}`);

test("what comes with a new table is counted on the table's line", async () => {
  const database = await freshDatabase();
  const [plan] = await preview(database.url, [project.layer("shop", SHOP)]);
  expect(names(plan)).toEqual([
    "create 1 schema shop",
    "create 2 table shop.a · 2 columns, 1 constraint, 1 index, 1 sequence, 2 grants",
    "create 3 table shop.b · 2 columns, 1 constraint, 1 index, 1 sequence",
    "create 4 table shop.c · 2 columns, 1 constraint, 1 index, 1 sequence",
  ]);
});

test("three or more new functions of a schema are one line, which names some", async () => {
  const database = await freshDatabase();
  const named = (n: number) => `shop.calculate_the_price_of_${n}(a int default 0)`;
  const functions = [1, 2, 3, 4].map((n) => `create function ${named(n)} returns int language sql return a;`).join(" ");
  const views = ["x", "y"].map((name) => `create view shop.${name} as select 1 as n;`).join(" ");
  const [plan] = await preview(database.url, [
    project.layer("shop", `create schema shop; ${functions} ${views} grant select on shop.x to pg_monitor;`),
  ]);
  expect(names(plan)).toEqual([
    "create 1 schema shop",
    "create 2 4 functions in shop · calculate_the_price_of_1, calculate_the_price_of_2, calculate_the_price_of_3 and 1 more",
    "create 3 view shop.x · 1 grant",
    "create 4 view shop.y",
  ]);
});

test("equal changes on three tables are one line, comments on what is new with them, and what blocks or drops stands first", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", SHOP));
  await database.query("insert into shop.c (other) select * from generate_series(1, 20)");
  const secured = ["a", "b", "c"].map(
    (name) =>
      `alter table shop.${name} enable row level security; create policy only_${name} on shop.${name} using (true); comment on policy only_${name} on shop.${name} is 'All';`,
  );
  const without = SHOP.replace(
    "shop.c (id serial primary key, other int); create index c_other on shop.c (other);",
    "shop.c (id serial primary key);",
  ).replace("create index b_other on shop.b (other);", "");
  const columns =
    "alter table shop.a add column x int, add column y text default 'y', add column z int generated always as (other * 2) stored;";
  const changed = project.layer("shop", `${without} ${secured.join(" ")} ${columns} create table shop.d (id int);`);
  const plan = await inRun(database.url, async (run) => {
    const inputs = await checked(run, changed, state.inputs);
    await expect(run.layer.update(run.context(true), state, inputs)).rejects.toThrow("drop-column:shop.c.other");
    return run.said.plans[0];
  });
  expect(names(plan)).toEqual([
    "delete 1 column shop.c.other · about 20 rows · locks ACCESS EXCLUSIVE · PS202 · blocks",
    "delete 2 index shop.b_other",
    "delete 3 index shop.c_other · about 20 rows · locks ACCESS EXCLUSIVE",
    "update 4 3 tables · ENABLE ROW LEVEL SECURITY · about 20 rows · locks ACCESS EXCLUSIVE",
    "create 5 table shop.d · 1 column",
    "create 6 2 columns of table shop.a",
    "create 7 column shop.a.z",
    "create 8 policy only_* on 3 tables · about 20 rows · locks ACCESS EXCLUSIVE",
  ]);
});

test("equal comments on three tables are one line", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", SHOP));
  const comments = ["a", "b", "c"].map((name) => `comment on table shop.${name} is 'All';`).join(" ");
  const [plan] = await preview(database.url, [project.layer("shop", `${SHOP} ${comments}`)], [state]);
  expect(names(plan)).toEqual(["create 1 comment on 3 tables"]);
});

test("columns of one table come in one statement, and privileges on columns as well", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", SHOP));
  const added = [
    "alter table shop.a add column x int, add column \"y (z), SELECT\" text default 'y';",
    'grant select ("y (z), SELECT", x), update (x) on shop.a to pg_monitor;',
  ];
  const changed = project.layer("shop", `${SHOP} ${added.join(" ")}`);
  const [plan] = await preview(database.url, [changed], [state]);
  expect(sqlOf(plan)).toEqual([
    `ALTER TABLE "shop"."a" ADD COLUMN "x" integer, ADD COLUMN "y (z), SELECT" text DEFAULT 'y'::text`,
    'REVOKE ALL ("y (z), SELECT", "x") ON TABLE "shop"."a" FROM "pg_monitor"',
    'GRANT SELECT ("y (z), SELECT") ON TABLE "shop"."a" TO "pg_monitor"',
    'GRANT SELECT ("x"), UPDATE ("x") ON TABLE "shop"."a" TO "pg_monitor"',
  ]);
  const after = await up(database.url, changed, state);
  expect(await pending(database.url, after)).toEqual([]);
  const fewer = project.layer("shop", `${SHOP.replace("select (id, other)", "references (id)")} ${added.join(" ")}`);
  const revoked = await preview(database.url, [fewer], [after]);
  expect(sqlOf(revoked[0])).toEqual([
    'REVOKE ALL ("other", "id") ON TABLE "shop"."a" FROM "pg_monitor"',
    'GRANT REFERENCES ("id") ON TABLE "shop"."a" TO "pg_monitor"',
  ]);
  expect(await pending(database.url, await up(database.url, fewer, after))).toEqual([]);
});
