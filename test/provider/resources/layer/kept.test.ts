import { expect, test } from "vitest";
import type { Properties, ResourceState } from "../../../../provider/core/resourceType.ts";
import { isDrifted, reportDrift } from "../../../../provider/resources/driftReport.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, pending, preview, project, type RunOptions, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const KEEPING: RunOptions = { keepDroppedDays: 30 };

const layer = (sql: string, allow: readonly string[] = []): Properties =>
  project.layer("app", `create schema app; ${sql}`, { allow: [...allow] });

/** A layer that was applied once, and is applied again with other files. */
async function withLayer(sql: string, rows = "") {
  const database = await freshDatabase();
  let state = await up(database.url, layer(sql), undefined, KEEPING);
  if (rows !== "") await database.query(rows);
  const apply = async (next: string, allow: readonly string[] = [], options = KEEPING): Promise<ResourceState> => {
    state = await up(database.url, layer(next, allow), state, options);
    return state;
  };
  const plan = async (next: string, allow: readonly string[] = [], options = KEEPING): Promise<string[]> => {
    const [changes] = await preview(database.url, [layer(next, allow)], [state], options);
    return sqlOf(changes);
  };
  return { database, apply, plan, state: () => state };
}

async function atRest(database: TestDatabase, state: ResourceState): Promise<void> {
  expect(await pending(database.url, state)).toEqual([]);
  expect(await preview(database.url, [state.inputs], [state], KEEPING)).toEqual([[]]);
  const drift = await reportDrift({ provider: { url: database.url }, layers: [state], rows: [], sets: [] });
  expect(isDrifted(drift)).toBe(false);
}

async function keptSchemas({ query }: TestDatabase): Promise<string[]> {
  const found = await query<{ name: string }>(
    "select nspname as name from pg_namespace where nspname like 'pgstrata%' order by 1",
  );
  return found.map(({ name }) => name);
}

async function keptColumns({ query }: TestDatabase, table: string): Promise<string[]> {
  const found = await query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = $1::regclass and attname like 'pgstrata%' order by 1",
    [table],
  );
  return found.map(({ name }) => name);
}

const PARENTS = "create table app.kinds (id int primary key); create type app.mood as enum ('good', 'bad');";
const ITEMS = `
  create function app.touch() returns trigger language plpgsql as 'begin return new; end';
  create table app.items (
    id serial primary key, kind int not null references app.kinds, mood app.mood default 'good', note text check (note <> ''));
  create index items_note on app.items (note);
  create trigger touch before update on app.items for each row execute function app.touch();
  alter table app.items enable row level security;
  create policy everyone on app.items using (true);
  create table app.parts (item int references app.items);
  create view app.notes as select note from app.items;
  grant select on app.items to public;
  comment on table app.items is 'things';`;

/** What would be another one if a table were recreated. */
const identities = ({ query }: TestDatabase) =>
  query(`
    select relname as name, oid::int, relfilenode::int as file, relacl::text as acl from pg_class
     where relnamespace = to_regnamespace('app') and relname like 'items%' order by 1`);

test("a table that is dropped with rows is kept with all that it needs, and comes back as it was", async () => {
  const { database, apply, plan } = await withLayer(
    `${PARENTS} ${ITEMS}`,
    "insert into app.kinds values (1), (2); insert into app.items (kind, note) values (1, 'red'), (2, 'blue')",
  );
  const before = await identities(database);
  await expect(apply("create table app.kinds (id int primary key);")).rejects.toThrow(
    /PS201: drops table app\.items with about 2 rows, which are kept until [\s\S]*drop-table:app\.items/,
  );
  const gone = await apply("create table app.kinds (id int primary key);", ["drop-table:app.items"]);
  expect(await relationsIn(database, "app")).toEqual(["kinds", "kinds_pkey"]);
  const [schema = ""] = await keptSchemas(database);
  expect(await relationsIn(database, schema)).toEqual(["items", "items_id_seq", "items_note", "items_pkey"]);
  expect(
    await database.query("select grantee from information_schema.usage_privileges where object_name = $1", [schema]),
  ).toEqual([]);
  await atRest(database, gone);
  // A key of what is kept would refuse this.
  await database.query("delete from app.kinds where id = 2; insert into app.kinds values (3)");

  await expect(plan(`${PARENTS} ${ITEMS}`)).rejects.toThrow(/1 row/);
  await database.query("insert into app.kinds values (2)");
  const statements = await plan(`${PARENTS} ${ITEMS}`);
  expect(statements.join("\n")).toContain(`ALTER TABLE "${schema}"."items" SET SCHEMA "app"`);
  const back = await apply(`${PARENTS} ${ITEMS}`);
  expect(await identities(database)).toEqual(before);
  expect(await keptSchemas(database)).toEqual([]);
  expect(await database.query("select id, kind, mood, note from app.items order by id")).toEqual([
    { id: 1, kind: 1, mood: "good", note: "red" },
    { id: 2, kind: 2, mood: "good", note: "blue" },
  ]);
  expect(await database.query("insert into app.items (kind) values (1) returning id")).toEqual([{ id: 3 }]);
  expect(back.outputs.adopted).toEqual([]);
  await atRest(database, back);
});

test("a column that is dropped with values binds no writer, and comes back with its values and constraints", async () => {
  const whole = `create table app.t (id int primary key, code text not null unique default 'x' check (code <> ''), note text);
    create index t_code on app.t (note, code); comment on column app.t.code is 'a code';`;
  const less = "create table app.t (id int primary key, note text);";
  const { database, apply } = await withLayer(whole, "insert into app.t values (1, 'a', 'red'), (2, 'b', 'blue')");
  const gone = await apply(less, ["drop-column:app.t.code"]);
  const [column = ""] = await keptColumns(database, "app.t");
  expect(column).toMatch(/^pgstrata_kept_\d{8}_code$/);
  await atRest(database, gone);
  await database.query("insert into app.t (id, note) values (3, 'new'), (4, 'newer')");

  await expect(apply(whole)).rejects.toThrow(/2 rows/);
  expect(await keptColumns(database, "app.t")).toEqual([column]);
  await database.query(`update app.t set ${column} = 'c' || id where id > 2`);
  const back = await apply(whole);
  expect(await database.query("select id, code from app.t order by id")).toEqual([
    { id: 1, code: "a" },
    { id: 2, code: "b" },
    { id: 3, code: "c3" },
    { id: 4, code: "c4" },
  ]);
  expect(await keptColumns(database, "app.t")).toEqual([]);
  await atRest(database, back);
});

const ITEM = "create table app.item (id int primary key, note text);";
const OTHER_ITEM = "create table app.item (code text primary key, size int, colour text);";

test("a name that has been taken again is a question, and either answer keeps all rows", async () => {
  const { database, apply, plan } = await withLayer(ITEM, "insert into app.item values (1, 'old')");
  await apply("", ["drop-table:app.item"]);
  // Another table of the name is no return of the first one.
  expect((await plan(OTHER_ITEM)).join()).not.toContain("SET SCHEMA");
  await apply(OTHER_ITEM);
  await database.query("insert into app.item values ('new', 1, 'red')");

  await expect(plan(ITEM)).rejects.toThrow(/take-back:app\.item[\s\S]*leave-kept:app\.item/);
  await expect(apply(ITEM, ["take-back:app.item"], {})).rejects.toThrow("keepDropped is 0");
  const back = await apply(ITEM, ["take-back:app.item"]);
  expect(await database.query("select * from app.item")).toEqual([{ id: 1, note: "old" }]);
  const [schema = ""] = await keptSchemas(database);
  expect(await database.query(`select * from ${schema}.item`)).toEqual([{ code: "new", size: 1, colour: "red" }]);
  await atRest(database, back);

  await expect(apply(OTHER_ITEM, ["take-back:app.item"])).rejects.toThrow("take-back:app.item");
  await apply(OTHER_ITEM, ["leave-kept:app.item", "drop-column:app.item.id", "drop-column:app.item.note"]).catch(
    String,
  );
  expect(await database.query(`select * from ${schema}.item`)).toEqual([{ code: "new", size: 1, colour: "red" }]);
});

test("a column whose name has been taken again is a question too", async () => {
  const { database, apply, plan } = await withLayer(
    "create table app.t (id int primary key, a int);",
    "insert into app.t values (1, 10)",
  );
  await apply("create table app.t (id int primary key);", ["drop-column:app.t.a"]);
  const text = "create table app.t (id int primary key, a text);";
  await apply(text);
  await database.query("update app.t set a = 'new'");
  await expect(plan("create table app.t (id int primary key, a int);")).rejects.toThrow("leave-kept:app.t.a");
  const back = await apply("create table app.t (id int primary key, a int);", ["take-back:app.t.a"]);
  const [column = ""] = await keptColumns(database, "app.t");
  expect(await database.query(`select id, a, ${column} as other from app.t`)).toEqual([{ id: 1, a: 10, other: "new" }]);
  await atRest(database, back);
});

test("what is not to come back though its name is free stays where it is", async () => {
  const { database, apply } = await withLayer(ITEM, "insert into app.item values (1, 'old')");
  await apply("", ["drop-table:app.item"]);
  const fresh = await apply(ITEM, ["leave-kept:app.item"]);
  expect(await database.query("select * from app.item")).toEqual([]);
  expect(await keptSchemas(database)).toHaveLength(1);
  await atRest(database, fresh);
});

/** As if the days were over. */
async function expire({ query }: TestDatabase, table?: string): Promise<void> {
  const notes = await query<{ on: string; note: string }>(
    `select 'schema ' || nspname as on, obj_description(oid, 'pg_namespace') as note from pg_namespace where nspname like 'pgstrata%'
     union all select format('column %s.%I', attrelid::regclass, attname), col_description(attrelid, attnum) from pg_attribute
      where attname like 'pgstrata%' and attrelid = $1::regclass`,
    [table ?? "pg_class"],
  );
  for (const { on, note } of notes)
    await query(`comment on ${on} is '${note.replace(/"until":"[^"]+"/, '"until":"2020-01-01"')}'`);
}

test("what is kept is dropped by the first update after its date, unless others have built on it", async () => {
  const whole = `${PARENTS} ${ITEMS} create table app.t (id int primary key, a text);`;
  const less = "create table app.t (id int primary key);";
  const { database, apply, plan, state } = await withLayer(
    whole,
    "insert into app.kinds values (1); insert into app.items (kind, note) values (1, 'red'); insert into app.t values (1, 'a')",
  );
  await apply(less, ["drop-table:app.items", "drop-table:app.kinds", "drop-column:app.t.a"]);
  const [schema = ""] = await keptSchemas(database);
  expect(await plan(less)).toEqual([]);
  await expire(database, "app.t");
  await database.query(`create view public.old as select note from ${schema}.items`);
  expect(await pending(database.url, state())).not.toEqual([]);
  expect(await plan(less)).toEqual([expect.stringContaining("DROP COLUMN")]);
  await database.query("drop view public.old");
  const dropped = await apply(less, [], {});
  expect(await keptSchemas(database)).toEqual([]);
  expect(await keptColumns(database, "app.t")).toEqual([]);
  await atRest(database, dropped);
});

test("what is declared again after its date, and is still there, comes back", async () => {
  const { database, apply } = await withLayer(ITEM, "insert into app.item values (1, 'old')");
  await apply("", ["drop-table:app.item"]);
  await expire(database);
  await apply(ITEM, [], {});
  expect(await database.query("select * from app.item")).toEqual([{ id: 1, note: "old" }]);
  expect(await keptSchemas(database)).toEqual([]);
});

test("names in quotes and of 63 bytes are kept and come back", async () => {
  const table = `"My ""table""${"x".repeat(50)}"`;
  const column = `"Größe ${"ü".repeat(27)}"`;
  const whole = `create schema "My App"; create type "My App"."A kind" as enum ('a');
    create table "My App".${table} (id int generated always as identity primary key, k "My App"."A kind" default 'a', ${column} text);
    create table "My App".t (${column} text, id int);`;
  const { database, apply } = await withLayer(
    whole,
    `insert into "My App".${table} (${column}) values ('x'); insert into "My App".t values ('y', 1)`,
  );
  const name = table.slice(1, -1).replaceAll('""', '"');
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const gone = await apply('create schema "My App"; create table "My App".t (id int);', [
    `drop-table:My App.${quoted}`,
    `drop-column:My App.t.${column.slice(1, -1)}`,
  ]);
  await atRest(database, gone);
  expect(await keptColumns(database, '"My App".t')).toHaveLength(1);
  const back = await apply(whole);
  expect(await database.query(`select id, ${column} as c from "My App".${table}`)).toEqual([{ id: 1, c: "x" }]);
  expect(await database.query(`insert into "My App".${table} (k) values ('a') returning id`)).toEqual([{ id: 2 }]);
  expect(await database.query(`select ${column} as c from "My App".t`)).toEqual([{ c: "y" }]);
  await atRest(database, back);
});

test("an update that is killed before its state is written is known to the next one, both ways", async () => {
  const { database, apply, state } = await withLayer(ITEM, "insert into app.item values (1, 'old')");
  const first = state();
  await apply("", ["drop-table:app.item"]);
  const again = await up(database.url, layer("", ["drop-table:app.item"]), first, KEEPING);
  await atRest(database, again);
  await up(database.url, layer(ITEM), again, KEEPING);
  const back = await up(database.url, layer(ITEM), again, KEEPING);
  expect(await database.query("select * from app.item")).toEqual([{ id: 1, note: "old" }]);
  expect(back.outputs.adopted).toEqual([]);
  await atRest(database, back);
});

test("two columns and a table that has one of them kept come back together", async () => {
  const whole = "create table app.t (id int primary key, a text not null, b int, c text);";
  const { database, apply } = await withLayer(whole, "insert into app.t values (1, 'a', 2, 'c')");
  await apply("create table app.t (id int primary key, b int);", ["drop-column:app.t.a", "drop-column:app.t.c"]);
  await apply("", ["drop-table:app.t"]);
  const back = await apply(whole);
  expect(await database.query("select id, a, b, c from app.t")).toEqual([{ id: 1, a: "a", b: 2, c: "c" }]);
  expect(await keptColumns(database, "app.t")).toEqual([]);
  await atRest(database, back);
});

test("a key column goes with the keys of others that refer to it, an identity and a serial with their sequences", async () => {
  const whole = `create table app.p (id int primary key, code int generated by default as identity, s serial, name text);
    create table app.c (p int references app.p, x int, y int generated always as (x * 2) stored);`;
  const { database, apply } = await withLayer(
    whole,
    "insert into app.p (id) values (7), (8); insert into app.c values (7, 1)",
  );
  const gone = await apply("create table app.p (name text); create table app.c (p int, x int);", [
    ...["drop-column:app.p.id", "drop-column:app.p.code", "drop-column:app.p.s", "drop-column:app.c.y"],
  ]);
  await atRest(database, gone);
  // What was computed is computed again.
  expect(await keptColumns(database, "app.c")).toEqual([]);
  const back = await apply(whole, ["rewrite-table:app.c"]);
  expect(await database.query("insert into app.p (id) values (9) returning code, s")).toEqual([{ code: 3, s: 3 }]);
  expect(await database.query("select * from app.c")).toEqual([{ p: 7, x: 1, y: 2 }]);
  await atRest(database, back);
});

test("what a layer had adopted comes back as adopted, and outlives it", async () => {
  const database = await freshDatabase();
  await database.query(
    "create schema app; create table app.item (id int primary key, note text); insert into app.item values (1, 'old')",
  );
  const first = await up(database.url, layer(ITEM), undefined, KEEPING);
  const gone = await up(database.url, layer("", ["drop-table:app.item"]), first, KEEPING);
  expect(await relationsIn(database, "app")).toEqual([]);
  const back = await up(database.url, layer(ITEM), gone, KEEPING);
  expect(back.outputs.adopted).toContain("table app.item");
  await destroy(database.url, back);
  expect(await database.query("select * from app.item")).toEqual([{ id: 1, note: "old" }]);
});

test("a destroy leaves what is kept, and is refused while a kept column has rows", async () => {
  const { database, apply, state } = await withLayer(
    `${ITEM} create table app.t (id int, a text);`,
    "insert into app.item values (1, 'old'); insert into app.t values (1, 'a')",
  );
  await apply("create table app.t (id int);", ["drop-table:app.item", "drop-column:app.t.a"]);
  await expect(destroy(database.url, state())).rejects.toThrow("holds rows: table app.t");
  await database.query("delete from app.t");
  await destroy(database.url, state());
  const [schema = ""] = await keptSchemas(database);
  expect(await database.query(`select * from ${schema}.item`)).toEqual([{ id: 1, note: "old" }]);
  const drift = await reportDrift({ provider: { url: database.url }, layers: [], rows: [], sets: [] });
  expect(drift.kept).toEqual([expect.stringMatching(new RegExp(`^table ${schema}\\.item, kept for layer app until `))]);
});

test("partitions are kept and come back, with their table or alone", async () => {
  const parts = `create table app.p (id int, at int, note text, primary key (id, at)) partition by range (at);
    create table app.p1 partition of app.p for values from (0) to (10);
    create index p_note on app.p (note);`;
  const second = "create table app.p2 partition of app.p for values from (10) to (20);";
  const { database, apply } = await withLayer(parts + second, "insert into app.p values (1, 1, 'a'), (2, 11, 'b')");
  const one = await apply(parts, ["drop-table:app.p2"]);
  expect(await database.query("select id from app.p")).toEqual([{ id: 1 }]);
  await atRest(database, one);
  const two = await apply(parts + second);
  expect(await database.query("select id from app.p order by id")).toEqual([{ id: 1 }, { id: 2 }]);
  await atRest(database, two);
  const none = await apply("", ["drop-table:app.p", "drop-table:app.p1", "drop-table:app.p2 (2)"]);
  await atRest(database, none);
  const all = await apply(parts + second);
  expect(await database.query("select id from app.p order by id")).toEqual([{ id: 1 }, { id: 2 }]);
  await atRest(database, all);
});

test("tables that inherit are kept together; a parent whose child stays is refused", async () => {
  const whole = "create table app.a (id int, note text); create table app.b (more int) inherits (app.a);";
  const { database, apply } = await withLayer(
    whole,
    "insert into app.a values (1, 'a'); insert into app.b values (2, 'b', 3)",
  );
  const alone = "create table app.b (id int, note text, more int);";
  await expect(apply(alone, ["drop-table:app.a"])).rejects.toThrow(
    "table app.a cannot be kept: table app.b, which stays,",
  );
  await apply("", ["drop-table:app.a", "drop-table:app.b"]);
  const back = await apply(whole);
  expect(await database.query("select id from app.a order by id")).toEqual([{ id: 1 }, { id: 2 }]);
  await atRest(database, back);
});

test("a schema goes and comes back with the rows of its tables", async () => {
  const whole = `${ITEM} create schema other; create type other.mood as enum ('good');
    create table other.item (id int references app.item, mood other.mood);`;
  const { database, apply } = await withLayer(
    whole,
    "insert into app.item values (1); insert into other.item values (1, 'good')",
  );
  const gone = await apply(ITEM, ["drop-table:other.item"]);
  await atRest(database, gone);
  const back = await apply(whole);
  expect(await database.query("select * from other.item")).toEqual([{ id: 1, mood: "good" }]);
  await atRest(database, back);
});

test("a table without rows is dropped, and rows that come until then are not lost", async () => {
  const { database, apply } = await withLayer(`${ITEM} create table app.empty ();`);
  await apply(ITEM, ["drop-table:app.empty"]);
  expect(await keptSchemas(database)).toEqual([]);
  const other = await database.pool.connect();
  await other.query("begin");
  await other.query("insert into app.item values (1, 'late')");
  const dropping = apply("", ["drop-table:app.item"]).catch(String);
  await expect.poll(() => waiting(database), { timeout: 30_000, interval: 20 }).toBe(true);
  await other.query("commit");
  other.release();
  expect(await dropping).toContain("holds rows: table app.item");
  await apply("", ["drop-table:app.item"]);
  expect(await keptSchemas(database)).toHaveLength(1);
});

/** Whether a session waits for a lock. */
async function waiting({ query }: TestDatabase): Promise<boolean> {
  const [found] = await query<{ is: boolean }>(
    "select exists (select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())) as is",
  );
  return found?.is === true;
}

test("what a kept column needs is not dropped with it, nor later, and its table is not copied without it", async () => {
  const whole = "create type app.mood as enum ('good'); create table app.t (id int, a app.mood, b int);";
  const { database, apply } = await withLayer(whole, "insert into app.t values (1, 'good', 2)");
  await expect(apply("create table app.t (id int, b int);", ["drop-column:app.t.a"])).rejects.toThrow(
    "column app.t.a cannot be kept: it needs type app.mood, which is dropped with it",
  );
  const type = "create type app.mood as enum ('good');";
  await apply(`${type} create table app.t (id int, b int);`, ["drop-column:app.t.a"]);
  await expect(apply("create table app.t (id int, b int);")).rejects.toThrow(/type app\.mood is dropped, and column/);
  const parts =
    "create table app.t (id int, b int) partition by range (id); create table app.t1 partition of app.t default;";
  await expect(apply(`${type} ${parts}`, ["rewrite-table:app.t"])).rejects.toThrow(
    "copied into another, without column",
  );
  expect((await database.query("select * from app.t")).map(Object.keys)).toEqual([["id", expect.any(String), "b"]]);
});

test("a part whose name is taken does not let a table come back", async () => {
  const { database, apply } = await withLayer(
    `${ITEM} create index item_note on app.item (note);`,
    "insert into app.item values (1, 'old')",
  );
  await apply("", ["drop-table:app.item"]);
  await apply("create table app.t (a int); create index item_note on app.t (a);");
  await expect(apply(`create table app.t (a int); ${ITEM} create index item_note on app.item (note);`)).rejects.toThrow(
    "Found index app.item_note, which has the name",
  );
  expect(await keptSchemas(database)).toHaveLength(1);
});
