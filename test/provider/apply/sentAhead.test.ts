import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { project, ROWS_UNASKED, up } from "../../support/layerHarness.ts";
import { slowLineTo } from "../../support/slowLine.ts";

const freshDatabase = freshDatabases();

const TABLE = "create schema shop; create table shop.item (id int primary key);";

const policies = (count: number): string =>
  Array.from({ length: count }, (_, n) => `create policy p${n} on shop.item using (id > ${n});`).join("\n");

/** How often the client waits for the server in an update that makes policies of a table that is there. */
async function turnsFor(count: number): Promise<number> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", TABLE));
  const line = await slowLineTo(database.url, 1);
  try {
    await up(line.url, project.layer("shop", `${TABLE} ${policies(count)}`), state);
    expect(await database.query("select 1 from pg_policy where polrelid = 'shop.item'::regclass")).toHaveLength(count);
    return line.turns();
  } finally {
    line.close();
  }
}

test("statements on a table that others wait for do not wait for one another's answer", async () => {
  const [few, many] = [await turnsFor(1), await turnsFor(61)];
  expect(many - few).toBeLessThan(30);
});

/** How often the client waits for the server in a first update with stored views, each of one that is not. */
async function turnsToMake(count: number): Promise<number> {
  const database = await freshDatabase();
  const line = await slowLineTo(database.url, 1);
  // What reads rows has another time limit than what does not, and here they take turns.
  const next = (n: number): string =>
    `create view shop.v${n + 1} as select id from shop.m${n}; create materialized view shop.m${n + 1} as select id from shop.v${n + 1};`;
  const sql = `${TABLE} create materialized view shop.m0 as select id from shop.item; ${Array.from({ length: count }, (_, n) => next(n)).join("\n")}`;
  try {
    await up(line.url, project.layer("shop", sql));
    return line.turns();
  } finally {
    line.close();
  }
}

test("statements with time limits of their own do not wait for one another's answer either", async () => {
  const [few, many] = [await turnsToMake(1), await turnsToMake(21)];
  expect(many - few).toBeLessThan(20);
});

test("of statements sent ahead on a locked table, the one that is refused is named, and nothing stays", async () => {
  const database = await freshDatabase();
  const table = (type: string): string => TABLE.replace("key)", `key, size ${type})`);
  const state = await up(database.url, project.layer("shop", table("bigint")));
  await database.query("insert into shop.item values (1, 1), (7, 10000000000)");
  const changed = project.layer("shop", `${table("int")} ${policies(20)}`, {
    allow: ["change-type:shop.item.size", "rewrite-table:shop.item"],
  });
  await expect(up(database.url, changed, state, ROWS_UNASKED)).rejects.toMatchObject({
    code: "PS301",
    message: expect.stringContaining("refused column shop.item.size"),
  });
  expect(await database.query("select 1 from pg_policy where polrelid = 'shop.item'::regclass")).toEqual([]);
});
