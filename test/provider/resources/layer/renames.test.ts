import { expect, test } from "vitest";
import type { Properties, ResourceState } from "../../../../provider/core/resourceType.ts";
import { filenodes, freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, pending, preview, project, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const shop = (sql: string, more: Properties = {}): Properties =>
  project.layer("shop", `create schema shop; ${sql}`, more);

/** The SQL of the statements of a preview. */
async function planned(url: string, layer: Properties, state: ResourceState): Promise<string[]> {
  const [plan] = await preview(url, [layer], [state]);
  return sqlOf(plan);
}

const EVERYTHING = `
  create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
  create table shop.jobs (
    id serial primary key,
    code int generated always as identity unique,
    name text not null default 'none' check (name <> ''),
    shout text generated always as (upper(name)) stored,
    parent int references shop.jobs
  );
  create index on shop.jobs (name);
  create index jobs_lower on shop.jobs (lower(name)) where name <> 'x';
  create table shop.steps (id int primary key, job int not null references shop.jobs);
  create view shop.names as select id, name from shop.jobs where name <> 'hidden';
  alter table shop.jobs enable row level security;
  create policy permissive_all_jobs on shop.jobs using (name <> 'secret');
  create trigger touch before update of name on shop.jobs for each row when (new.name <> '') execute function shop.touch();
  comment on column shop.jobs.name is 'What it is called';
  grant select on shop.jobs to public;
  grant update (name) on shop.jobs to public;
  create function shop.first() returns text language sql begin atomic select name from shop.jobs order by id limit 1; end;`;

/** The same with other names; where the files give no name, the server makes it from the others. */
const renamedEverything = (comments: { table?: string; column?: string }): string =>
  EVERYTHING.replaceAll("jobs", "tasks")
    .replaceAll(/\bname\b/g, "title")
    .replace("create table shop.tasks (", `create table shop.tasks ( ${comments.table ?? ""}\n`)
    .replace("title text not null default 'none' check (title <> ''),", (line) => `${line} ${comments.column ?? ""}`);

test("a table and a column get new names with all that stands on them, and nothing is built again or lost", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(EVERYTHING, { allow: ["grant-public:shop.jobs"] }));
  await database.query(
    "insert into shop.jobs (name, parent) values ('a', null), ('b', 1); insert into shop.steps values (1, 2)",
  );
  const before = await filenodes(database);
  const next = shop(renamedEverything({ table: "-- renamed from: jobs", column: "-- renamed from: name" }));
  const sql = await planned(database.url, next, state);
  const updated = await up(database.url, next, state);
  expect(sql.filter((statement) => / RENAME /.test(statement)).sort()).toEqual([
    'ALTER INDEX "shop"."jobs_lower" RENAME TO "tasks_lower"',
    'ALTER INDEX "shop"."jobs_name_idx" RENAME TO "tasks_title_idx"',
    'ALTER SEQUENCE "shop"."jobs_code_seq" RENAME TO "tasks_code_seq"',
    'ALTER SEQUENCE "shop"."jobs_id_seq" RENAME TO "tasks_id_seq"',
    'ALTER TABLE "shop"."jobs" RENAME COLUMN "name" TO "title"',
    'ALTER TABLE "shop"."jobs" RENAME CONSTRAINT "jobs_code_key" TO "tasks_code_key"',
    'ALTER TABLE "shop"."jobs" RENAME CONSTRAINT "jobs_name_check" TO "tasks_title_check"',
    'ALTER TABLE "shop"."jobs" RENAME CONSTRAINT "jobs_parent_fkey" TO "tasks_parent_fkey"',
    'ALTER TABLE "shop"."jobs" RENAME CONSTRAINT "jobs_pkey" TO "tasks_pkey"',
    'ALTER TABLE "shop"."jobs" RENAME TO "tasks"',
  ]);
  const renamed = Object.fromEntries(
    Object.entries(before).map(([name, file]) => [name.replace("jobs", "tasks").replace("_name", "_title"), file]),
  );
  expect(await filenodes(database)).toEqual(renamed);
  expect(await pending(database.url, updated)).toEqual([]);
  expect(updated.outputs.adopted).toEqual([]);
  expect(await database.query("insert into shop.tasks (title) values ('c') returning id, code, shout")).toEqual([
    { id: 3, code: 3, shout: "C" },
  ]);
});

test("a destroy after a rename takes everything back, and what was adopted stays", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(EVERYTHING));
  const renamed = shop(renamedEverything({ table: "-- renamed from: jobs", column: "-- renamed from: name" }));
  await destroy(database.url, await up(database.url, renamed, state));
  expect(await database.query("select nspname from pg_namespace where nspname = 'shop'")).toEqual([]);

  await database.query(`create schema shop; ${EVERYTHING}`);
  const adopting = await up(database.url, renamed);
  expect(adopting.outputs.adopted).toContain("table shop.tasks");
  await destroy(database.url, adopting);
  expect(await relationsIn(database, "shop")).toEqual(
    expect.arrayContaining(["tasks", "tasks_code_seq", "tasks_id_seq", "tasks_lower", "tasks_pkey", "tasks_title_idx"]),
  );
});

test("a rename back is a rename too", async () => {
  const database = await freshDatabase();
  const first = await up(database.url, shop(EVERYTHING));
  await database.query("insert into shop.jobs (name) values ('a')");
  const before = await filenodes(database);
  const there = await up(
    database.url,
    shop(renamedEverything({ table: "-- renamed from: jobs", column: "-- renamed from: name" })),
    first,
  );
  const back = EVERYTHING.replace(
    "create table shop.jobs (",
    "-- renamed from: tasks\ncreate table shop.jobs (",
  ).replace("name text not null", "-- renamed from: title\nname text not null");
  const home = await up(database.url, shop(back), there);
  expect(await filenodes(database)).toEqual(before);
  expect(await pending(database.url, home)).toEqual([]);
  expect(home.outputs.objects).toEqual(first.outputs.objects);
});

const ITEM = "create table shop.item (id int primary key, name text, price int);";

test("a comment whose work is done may stay, in a fresh database as well", async () => {
  const database = await freshDatabase();
  const titled = ITEM.replace("name text,", "title text, -- renamed from: name\n");
  const fresh = await up(database.url, shop(titled));
  expect(await pending(database.url, fresh)).toEqual([]);
  expect(fresh.outputs.adopted).toEqual([]);
  const more = shop(`${titled} create table shop.tag (id int);`);
  expect(await planned(database.url, more, fresh)).toEqual([expect.stringContaining('CREATE TABLE "shop"."tag"')]);
  await destroy(database.url, await up(database.url, more, fresh));
});

test("a database renamed by hand is followed, and one that was renamed back by hand is put right", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item values (1, 'pen', 3); alter table shop.item rename column name to title");
  const titled = shop(ITEM.replace("name text,", "title text, -- renamed from: name\n"));
  expect(await planned(database.url, titled, state)).toEqual([]);
  const followed = await up(database.url, titled, state);
  expect(followed.outputs.adopted).toEqual([]);
  await database.query("alter table shop.item rename column title to name");
  expect(await pending(database.url, followed)).toEqual(['changes["table shop.item"]']);
  const repaired = await up(database.url, titled, followed);
  expect(await database.query("select title from shop.item")).toEqual([{ title: "pen" }]);
  expect(await pending(database.url, repaired)).toEqual([]);
});

test("names move on in a chain, and a table may take the name that another one leaves", async () => {
  const database = await freshDatabase();
  const state = await up(
    database.url,
    shop("create table shop.a (id int primary key, x int, y text); create table shop.b (id int primary key, z date);"),
  );
  await database.query("insert into shop.a values (1, 10, 'ten'); insert into shop.b values (2, '2020-02-02')");
  const before = await filenodes(database);
  const next = shop(`
    create table shop.a (id int primary key, fresh boolean);
    create table shop.b ( -- renamed from: a
      id int primary key,
      x text, -- renamed from: y
      w int, -- renamed from: x
      y int
    );
    -- renamed from: b
    create table shop.c (id int primary key, z date);`);
  const updated = await up(database.url, next, state);
  expect(await database.query("select id, x, w, y from shop.b")).toEqual([{ id: 1, x: "ten", w: 10, y: null }]);
  expect(await database.query("select id, z::text from shop.c")).toEqual([{ id: 2, z: "2020-02-02" }]);
  expect(await database.query("select * from shop.a")).toEqual([]);
  const after = await filenodes(database);
  expect([after.b, after.b_pkey, after.c, after.c_pkey]).toEqual([before.a, before.a_pkey, before.b, before.b_pkey]);
  expect(await pending(database.url, updated)).toEqual([]);
  await destroy(database.url, { ...updated, inputs: { ...updated.inputs, forceDestroy: true } });
  expect(await database.query("select nspname from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("a column gets another name, type, default and a demand for values in one update", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} create index item_price on shop.item (price);`));
  await database.query("insert into shop.item select n, 'pen', n from generate_series(1, 50) as n");
  const changed = ITEM.replace("price int", "cost bigint not null default 7 -- renamed from: price\n");
  const next = (allow: string[]) => shop(`${changed} create index item_cost on shop.item (cost);`, { allow });
  await expect(up(database.url, next([]), state)).rejects.toThrow("rewrite-table:shop.item");
  const updated = await up(database.url, next(["rewrite-table:shop.item"]), state);
  expect(await database.query("select sum(cost)::int as sum from shop.item")).toEqual([{ sum: 1275 }]);
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_cost", "item_pkey"]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("a table with rows is changed online under its new name, and its columns with rows are guarded under it", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} create table shop.tag (id int primary key, item int);`));
  await database.query("insert into shop.item values (1, 'pen', 3); insert into shop.tag values (1, 1)");
  const next = (allow: string[]) =>
    shop(
      `create table shop.things (id int primary key, name text not null, weight numeric); -- renamed from: item
       create index things_name on shop.things (name);
       create table shop.tag (id int primary key, item int references shop.things);`,
      { allow },
    );
  await expect(up(database.url, next([]), state)).rejects.toThrow("drop-column:shop.things.price");
  expect(await relationsIn(database, "shop")).toContain("item");
  const allowed = next(["drop-column:shop.things.price"]);
  const sql = (await planned(database.url, allowed, state)).join("\n");
  expect(sql).toMatch(/RENAME TO "things"[\s\S]*NOT VALID[\s\S]*CREATE INDEX CONCURRENTLY things_name/);
  const updated = await up(database.url, allowed, state);
  expect(await database.query("select * from shop.things")).toEqual([{ id: 1, name: "pen", weight: null }]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("a table moves with its rows to another schema, once that is there", async () => {
  const database = await freshDatabase();
  const table = "(id serial primary key, name text unique)";
  const old = `create table shop.item ${table}; create index on shop.item (name);`;
  const first = await up(database.url, shop(old));
  await database.query("insert into shop.item (name) values ('pen'); create index by_hand on shop.item (id, name)");
  const moved = `
    -- renamed from: shop.item
    create table store.things ${table}; create index on store.things (name);`;
  await expect(up(database.url, project.layer("shop", `create schema store; ${moved}`), first)).rejects.toThrow(
    "into the schema store, which the database does not have",
  );
  const state = await up(database.url, shop(`${old} create schema store;`), first);
  const next = project.layer("shop", `create schema store; ${moved}`);
  const updated = await up(database.url, next, state);
  expect(await database.query("select nspname from pg_namespace where nspname = 'shop'")).toEqual([]);
  expect(await relationsIn(database, "store")).toEqual([
    "by_hand",
    "things",
    "things_id_seq",
    "things_name_idx",
    "things_name_key",
    "things_pkey",
  ]);
  expect(await database.query("insert into store.things (name) values ('ink') returning id")).toEqual([{ id: 2 }]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("the columns of a partitioned table get new names in all its parts", async () => {
  const database = await freshDatabase();
  const parts = (name: string, column: string) =>
    `create table shop.${name} (id int, at date, ${column} text, primary key (id, at)) partition by range (at);
     create table shop.early partition of shop.${name} for values from ('2020-01-01') to ('2021-01-01');
     create index on shop.${name} (${column});`;
  const state = await up(database.url, shop(parts("log", "line")));
  await database.query("insert into shop.log values (1, '2020-05-05', 'hello')");
  const renames = { "shop.log_entries": "log", "shop.log_entries.message": "line" };
  const updated = await up(database.url, shop(parts("log_entries", "message"), { renames }), state);
  expect(await database.query("select message from shop.early")).toEqual([{ message: "hello" }]);
  expect(await relationsIn(database, "shop")).toContain("log_entries_message_idx");
  expect(await pending(database.url, updated)).toEqual([]);
});

test("names that must be quoted are renamed from and to", async () => {
  const database = await freshDatabase();
  const state = await up(
    database.url,
    shop('create table shop."Line; items" (id int primary key, "select ""x""" text);'),
  );
  await database.query("insert into shop.\"Line; items\" values (1, 'kept')");
  const next = shop(`
    create table shop."-- renamed from: nothing" ( -- renamed from: "Line; items"
      id int primary key,
      "naïve.col" text default '-- renamed from: a literal' -- renamed from: "select ""x"""
    );
    create function shop.f() returns int language plpgsql as $body$ begin
      -- renamed from: no comment of ours
      return 1;
    end $body$;`);
  const updated = await up(database.url, next, state);
  expect(await database.query('select "naïve.col" as c from shop."-- renamed from: nothing"')).toEqual([{ c: "kept" }]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("an update that was killed after its commit is finished by the next one, and what it renamed stays the layer's own", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(EVERYTHING));
  await database.query("insert into shop.jobs (name) values ('a')");
  const next = shop(renamedEverything({ table: "-- renamed from: jobs", column: "-- renamed from: name" }));
  await up(database.url, next, state);
  // The state is still the one from before.
  const again = await up(database.url, next, state);
  expect(again.outputs.lastRun).toMatchObject({ statements: 0 });
  expect(again.outputs.adopted).toEqual([]);
  await destroy(database.url, { ...again, inputs: { ...again.inputs, forceDestroy: true } });
  expect(await database.query("select nspname from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("a preview shows a rename as an update of the object, with its lock and rows, and locks nothing", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item select n, 'pen', n from generate_series(1, 3) as n; analyze shop.item");
  const next = shop(ITEM.replace("name text,", "title text, -- renamed from: name\n"));
  const reader = await database.pool.connect();
  try {
    await reader.query("begin; select from shop.item");
    const [plan] = await preview(database.url, [next], [state]);
    expect(plan).toEqual([
      {
        name: "1 column shop.item.name, renamed to title · about 3 rows · locks ACCESS EXCLUSIVE",
        op: "update",
        details: {
          sql: { 1: ['ALTER TABLE "shop"."item" RENAME COLUMN "name" TO "title"'] },
          lock: "ACCESS EXCLUSIVE",
          rows: 3,
        },
      },
    ]);
    // An update waits for its lock no longer than it may, and leaves everything as it is.
    await expect(up(database.url, next, state, { lockTimeoutMs: 50, lockRetries: 1 })).rejects.toThrow(/lock/);
  } finally {
    await reader.query("rollback");
    reader.release();
  }
  const updated = await up(database.url, next, state);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("two columns change places with names of other columns, views and keys of other tables staying right", async () => {
  const database = await freshDatabase();
  const tables = (item: string, view: string) =>
    `create table shop.item (${item}); create table shop.other (id int primary key, name text, title text);
     create view shop.both as select ${view} from shop.item i join shop.other o using (id);`;
  const state = await up(
    database.url,
    shop(
      tables("id int primary key, name text, title text, check (name <> title)", "i.name, i.title as t, o.name as o"),
    ),
  );
  await database.query("insert into shop.item values (1, 'n', 't'); insert into shop.other values (1, 'on', 'ot')");
  const next = shop(
    tables(
      "id int primary key, title text, -- renamed from: name\n subtitle text, -- renamed from: title\n check (title <> subtitle)",
      "i.title as name, i.subtitle as t, o.name as o",
    ),
  );
  const sql = await planned(database.url, next, state);
  expect(sql.filter((statement) => !/ RENAME /.test(statement))).toEqual([]);
  const updated = await up(database.url, next, state);
  expect(await database.query("select * from shop.both")).toEqual([{ name: "n", t: "t", o: "on" }]);
  expect(await pending(database.url, updated)).toEqual([]);
});
