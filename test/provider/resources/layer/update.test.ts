import pg from "pg";
import { afterAll, expect, test } from "vitest";
import type { Properties, ResourceState } from "../../../../provider/core/resourceType.ts";
import { createTestRole, type TestDatabase, type TestRole } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import {
  destroy,
  inRun,
  pending,
  preview,
  project,
  put,
  ROWS_UNASKED,
  up,
  upAll,
} from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const roles: TestRole[] = [];
afterAll(async () => {
  for (const role of roles) await role.drop();
});

/** A database that a role owns which is no superuser, and the URL with which it connects. */
async function ownedDatabase(): Promise<{ database: TestDatabase; url: string; owner: TestRole }> {
  const database = await freshDatabase();
  const owner = await createTestRole({ prefix: "owner" });
  await database.query(`alter database "${database.name}" owner to "${owner.name}"`);
  return { database, url: database.urlFor(owner), owner };
}

const SCHEMA = "create schema shop;";
const ITEM = "create table shop.item (id int primary key, name text, price int);";
const NARROW_ITEM = "create table shop.item (id int primary key, name text);";
const ORDER = "create table shop.orders (id int primary key, item int references shop.item);";

/** The layer `shop` with this SQL after its schema. */
const shop = (sql: string, more: Properties = {}): Properties => project.layer("shop", `${SCHEMA} ${sql}`, more);

const columns = async ({ query }: TestDatabase, table: string): Promise<string[]> =>
  (
    await query<{ name: string }>(
      "select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
      [table],
    )
  ).map(({ name }) => name);

test("what leaves the files is dropped, what comes is made, what stays keeps its rows", async () => {
  const database = await freshDatabase();
  const state = await up(
    database.url,
    shop(
      `${ITEM} ${ORDER} create index item_name on shop.item (name); create view shop.names as select name from shop.item;`,
    ),
  );
  await database.query("insert into shop.item values (1, 'pen', 3)");
  const next = shop(`${ITEM} create index item_price on shop.item (price); create table shop.tag (id int);`);
  const [plan] = await preview(database.url, [next], [state]);
  expect(plan?.map(({ op, name }) => `${op} ${name.replace(/^\d+ | · .*/g, "")}`).sort()).toEqual([
    "create index shop.item_price",
    "create table shop.tag",
    "delete constraint orders_item_fkey on shop.orders",
    "delete index shop.item_name",
    "delete table shop.orders",
    "delete view shop.names",
  ]);
  const updated = await up(database.url, next, state);
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey", "item_price", "tag"]);
  expect(await database.query("select * from shop.item")).toEqual([{ id: 1, name: "pen", price: 3 }]);
  expect(updated.outputs.objects).toEqual([
    "index shop.item_price",
    "schema shop",
    "table shop.item",
    "table shop.tag",
  ]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("a table that holds rows is not dropped, and nothing else of the update happens", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} ${ORDER}`));
  await database.query("insert into shop.item values (1, 'pen', 3); insert into shop.orders values (1, 1)");
  const next = shop(`${ITEM} create table shop.tag (id int);`);
  await expect(up(database.url, next, state)).rejects.toThrow(
    /Stopped before the first statement[\s\S]*drops table shop.orders with 1 row[\s\S]*Nothing was changed[\s\S]*`allow`:\s*"?drop-table:shop.orders/,
  );
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey", "orders", "orders_pkey"]);
  const updated = await up(database.url, { ...next, allow: ["drop-table:shop.orders"] }, state);
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey", "tag"]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("a column of a table that holds rows is not dropped unless its name is approved", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item values (1, 'pen', 3)");
  const next = shop(NARROW_ITEM);
  for (const allow of [[], ["drop-column:shop.item.name"], ["drop-table:shop.item"], ["drop-column:shop.item"]]) {
    await expect(up(database.url, { ...next, allow }, state)).rejects.toThrow("drops column shop.item.price");
    expect(await columns(database, "shop.item")).toEqual(["id", "name", "price"]);
  }
  await up(database.url, { ...next, allow: ["drop-column:shop.item.price"] }, state);
  expect(await database.query("select * from shop.item")).toEqual([{ id: 1, name: "pen" }]);
});

test("an empty table and a column of an empty table are dropped without approval", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} ${ORDER}`));
  await up(database.url, shop(NARROW_ITEM), state);
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  expect(await columns(database, "shop.item")).toEqual(["id", "name"]);
});

test("several refusals are told together", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} ${ORDER}`));
  await database.query("insert into shop.item values (1, 'pen', 3); insert into shop.orders values (1, 1)");
  await expect(up(database.url, shop(NARROW_ITEM), state)).rejects.toThrow(
    /column shop.item.price[\s\S]*table shop.orders|table shop.orders[\s\S]*column shop.item.price/,
  );
});

test("rows that a forced policy hides from the owner are not dropped either", async () => {
  const { database, url, owner } = await ownedDatabase();
  const hidden = `${ITEM} alter table shop.item enable row level security; alter table shop.item force row level security; create policy none on shop.item using (false);`;
  const state = await up(url, shop(hidden));
  await database.query("insert into shop.item values (1, 'pen', 3)");
  const client = new pg.Client(url);
  await client.connect();
  expect((await client.query("select * from shop.item")).rows, `rows that ${owner.name} sees`).toEqual([]);
  await client.end();
  await expect(up(url, shop(""), state)).rejects.toThrow(/shop.item|"item"/);
  await expect(up(url, shop(""), state)).rejects.toThrow(/Nothing was changed|BYPASSRLS/);
  expect(await database.query("select * from shop.item")).toEqual([{ id: 1, name: "pen", price: 3 }]);
});

test("a foreign view on a table that is to be dropped stops the update and is named", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} ${ORDER}`));
  await database.query("create view public.report as select id from shop.orders");
  await expect(up(database.url, shop(ITEM), state)).rejects.toThrow(
    /Found objects that depend on what is to be removed and are not this layer's: view public.report/,
  );
  expect(await relationsIn(database, "shop")).toContain("orders");
  expect(await relationsIn(database, "public")).toEqual(["report"]);
});

test("a foreign view on a column that is to be dropped stops the update and is named", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("create view public.prices as select price from shop.item");
  await expect(up(database.url, shop(NARROW_ITEM), state)).rejects.toThrow(
    /depend on what is to be removed and are not this layer's: view public.prices/,
  );
  expect(await columns(database, "shop.item")).toEqual(["id", "name", "price"]);
  expect(await relationsIn(database, "public")).toEqual(["prices"]);
});

test("a foreign view on a column whose type changes stops the update, and keeps its definition", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("create view public.prices as select price from shop.item");
  const wider = shop(ITEM.replace("price int", "price bigint"));
  const outcome = await up(database.url, wider, state).then(
    () => "done",
    (error: Error) => error.message,
  );
  // Whoever wins, the view of others is there and works.
  expect(await database.query("select * from public.prices")).toEqual([]);
  expect(outcome).toMatch(/done|public.prices/);
});

test("rogue parts of a table go with it, and a rogue table in a dropped schema stops the update", async () => {
  const database = await freshDatabase();
  const two = project.layer("two", "create schema one; create schema other; create table one.t (id int);");
  const state = await up(database.url, two);
  await database.query("create index rogue on one.t (id)");
  const less = await up(database.url, project.layer("two", "create schema one; create schema other;"), state);
  expect(await relationsIn(database, "one")).toEqual([]);
  await database.query("create table other.rogue (id int)");
  await expect(up(database.url, project.layer("two", "create schema one;"), less)).rejects.toThrow(/other.rogue/);
  expect(await relationsIn(database, "other")).toEqual(["rogue"]);
});

const TAG =
  "create table tags.tag (id int primary key, name text); create index tag_name on tags.tag (name); alter table tags.tag enable row level security; create policy all_rows on tags.tag using (true);";

/** Two layers on the same schema, of which one has the table. */
function pair(lowerSql: string, upperSql: string): [Properties, Properties] {
  project.layer("tagBase", "create schema tags;");
  const base = [{ name: "tagBase", files: ["tagBase.sql"] }];
  return [project.layer("lower", lowerSql, { base }), project.layer("upper", upperSql, { base })];
}

async function withTags(
  lowerSql: string,
  upperSql: string,
): Promise<{ database: TestDatabase; states: ResourceState[] }> {
  const database = await freshDatabase();
  const layers = pair(lowerSql, upperSql);
  const states = await upAll(database.url, [project.layer("tagBase", "create schema tags;"), ...layers]);
  return { database, states: states.slice(1) };
}

test("a table moves with its rows to a layer that is updated before its old one", async () => {
  const { database, states } = await withTags("create table tags.a (id int);", TAG);
  await database.query("insert into tags.tag values (1, 'red')");
  const [lower, upper] = await upAll(
    database.url,
    pair(`create table tags.a (id int); ${TAG}`, "create table tags.b (id int);"),
    states,
  );
  expect(await database.query("select * from tags.tag")).toEqual([{ id: 1, name: "red" }]);
  expect(await database.query("select relrowsecurity from pg_class where relname = 'tag'")).toEqual([
    { relrowsecurity: true },
  ]);
  for (const state of [lower, upper]) if (state !== undefined) expect(await pending(database.url, state)).toEqual([]);
  if (upper === undefined) return;
  await destroy(database.url, upper);
  expect(await relationsIn(database, "tags")).toEqual(["a", "tag", "tag_name", "tag_pkey"]);
});

test("a table that moves to a layer that is updated after its old one is not lost with its rows", async () => {
  const { database, states } = await withTags(TAG, "create table tags.b (id int);");
  await database.query("insert into tags.tag values (1, 'red')");
  const layers = pair("create table tags.a (id int);", `create table tags.b (id int); ${TAG}`);
  await expect(upAll(database.url, layers, states)).rejects.toThrow("drops table tags.tag with 1 row");
  expect(await database.query("select * from tags.tag")).toEqual([{ id: 1, name: "red" }]);
});

test("an empty table that moves to a layer that is updated after its old one is there afterwards", async () => {
  const { database, states } = await withTags(TAG, "create table tags.b (id int);");
  const done = await upAll(
    database.url,
    pair("create table tags.a (id int);", `create table tags.b (id int); ${TAG}`),
    states,
  );
  expect(await relationsIn(database, "tags")).toEqual(["a", "b", "tag", "tag_name", "tag_pkey"]);
  for (const state of done) expect(await pending(database.url, state)).toEqual([]);
});

test("a layer whose name changes hands everything over, with its rows, and a destroy drops it still", async () => {
  const database = await freshDatabase();
  const old = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item values (1, 'pen', 3)");
  const renamed = project.layer("store", `${SCHEMA} ${ITEM}`);
  const state = await inRun(database.url, async (run) => {
    const { layer, context } = run;
    const { inputs } = await layer.check(context(true), old.inputs, renamed);
    const { detailed } = await layer.diff(context(), old, inputs);
    expect(detailed).toMatchObject({ name: { kind: "update-replace" } });
    const { id, outputs } = await layer.create(context(), inputs);
    await layer.delete(context(), old);
    return { id, inputs, outputs };
  });
  expect(state.id).toBe("store");
  expect(state.outputs.adopted).toEqual([]);
  expect(await database.query("select * from shop.item")).toEqual([{ id: 1, name: "pen", price: 3 }]);
  expect(await pending(database.url, state)).toEqual([]);
  await destroy(database.url, { ...state, inputs: { ...state.inputs, forceDestroy: true } });
  expect(await relationsIn(database, "shop")).toEqual([]);
});

test("a layer that is removed and declared again under another resource keeps its objects", async () => {
  const database = await freshDatabase();
  const old = await up(database.url, shop(ITEM));
  const state = await inRun(database.url, async (run) => {
    const created = await put(run, project.layer("store", `${SCHEMA} ${ITEM}`));
    await run.layer.delete(run.context(), old);
    return created;
  });
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  expect(await pending(database.url, state)).toEqual([]);
});

test("a column's new not-null with rows that lack a value fails with the column, and goes through once they have one", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item values (1, null, 3)");
  const strict = shop(`${ITEM.replace("name text", "name text not null")} create table shop.tag (id int);`);
  await expect(up(database.url, strict, state, ROWS_UNASKED)).rejects.toThrow(
    /The server refused column shop\.item\.name: .*\(SQLSTATE (23502|23514)\)/,
  );
  expect(
    await database.query(
      "select attnotnull from pg_attribute where attrelid = 'shop.item'::regclass and attname = 'name'",
    ),
  ).toEqual([{ attnotnull: false }]);
  await database.query("update shop.item set name = 'pen'");
  const done = await up(database.url, strict, state);
  expect(await pending(database.url, done)).toEqual([]);
});

test("a state of which the database has lost a part is updated and repaired at once", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} ${ORDER}`));
  await database.query("drop table shop.orders; drop table shop.item");
  const updated = await up(database.url, shop(`${NARROW_ITEM}`), state);
  expect(await columns(database, "shop.item")).toEqual(["id", "name"]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("a list of aliases for a table whose columns stand in another order is refused, and not bound to other columns", async () => {
  const database = await freshDatabase();
  const sql = (columns: string, query: string): string =>
    `create schema app; create table app."order" (${columns}); create view app.v as ${query};`;
  const aliases = 'select q.x, q.y from app."order" as q(x, y)';
  const state = await up(database.url, project.layer("aliases", sql("id int, name text", aliases)));
  const middle = project.layer("aliases", sql("id int, added text, name text", aliases));
  await expect(up(database.url, middle, state)).rejects.toThrow(
    /aliases for the columns of table app\.order in view app\.v.*In the files their order is id, added, name; .* id, name, added\. Expected the same order/s,
  );
  expect(
    await database.query("select attname from pg_attribute where attrelid = 'app.\"order\"'::regclass and attnum > 0"),
  ).toHaveLength(2);
  const last = project.layer("aliases", sql("id int, name text, added text", aliases));
  const named = project.layer(
    "named",
    sql("id int, added text, name text", 'select id as x, added as y from app."order"'),
  );
  const next = await up(database.url, last, state);
  expect(await pending(database.url, next)).toEqual([]);
  const other = await freshDatabase();
  const first = await up(
    other.url,
    project.layer("named", sql("id int, name text", 'select id as x, name as y from app."order"')),
  );
  expect(await pending(other.url, await up(other.url, named, first))).toEqual([]);
});
