import { join } from "node:path";
import { expect, test } from "vitest";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { checked, inRun, project, up } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

async function hashOf(sql: string, asLayer: boolean): Promise<string> {
  const database = await freshDatabase();
  if (asLayer) await up(database.url, project.layer("order", sql));
  else await database.query(sql);
  return (await readCatalog(database.pool, new URL(database.url).username)).facts.rootHash;
}

/** What a check of the files says. */
async function refusal(...files: string[]): Promise<string> {
  const { url } = await freshDatabase();
  for (const [n, sql] of files.entries()) project.write(`order/${n + 1}.sql`, sql);
  const layer = { ...project.layer("order", ""), files: files.map((_, n) => join("order", `${n + 1}.sql`)) };
  return inRun(url, (run) => checked(run, layer)).then(
    () => "",
    (error: unknown) => (error instanceof Error ? error.message : ""),
  );
}

/** Statements in the order in which a server takes them. */
const SOUND = [
  "create schema app;",
  "create extension citext with schema app;",
  "create type app.state as enum ('on', 'off');",
  "create domain app.name as text check (value <> '');",
  "create sequence app.numbers;",
  'create table app."Own ers" (id int primary key, "Name" app.name, mail app.citext);',
  'alter sequence app.numbers owned by app."Own ers".id;',
  "create table app.items (id int primary key, name text, state app.state default 'on', owner int references app.\"Own ers\") partition by range (id);",
  "create table app.items1 partition of app.items for values from (0) to (10);",
  "create table app.late (name text); alter table app.items attach partition app.items2 for values from (10) to (20);",
  "alter table app.items add column kind text;",
  "create unique index late_name on app.late (name);",
  "create table app.refers (name text references app.late (name));",
  "create view app.one as select id, kind from app.items;",
  "create view app.two as select id from app.one;",
  "create materialized view app.three as select id from app.two;",
  "create index items_kind on app.items (kind);",
  "create function app.first_item(app.state) returns app.items language sql stable as $$ select * from app.items limit 1 $$;",
  "create function app.touch() returns trigger language plpgsql as $$ begin return new; end $$;",
  "create trigger touch before update on app.items for each row execute function app.touch();",
  "create policy seen on app.items using (app.first_item('on') is not null);",
  "comment on policy seen on app.items is 'all';",
  "alter table app.items enable row level security;",
  "grant select on app.two to public;",
  "revoke execute on function app.first_item from public;",
].map((sql) =>
  sql.replace(
    "create table app.late (name text);",
    "create table app.late (name text); create table app.items2 (like app.items including all);",
  ),
);

const backwards = (sql: readonly string[]): string => [...sql].reverse().join("\n");

test("statements in the worst order mean what they mean in the best one", async () => {
  const direct = await hashOf(SOUND.join("\n"), false);
  expect(await hashOf(SOUND.join("\n"), true)).toBe(direct);
  expect(await hashOf(backwards(SOUND), true)).toBe(direct);
});

test("the order of files does not matter either", async () => {
  const { url } = await freshDatabase();
  for (const [n, sql] of [...SOUND].reverse().entries()) project.write(`many/${String(n).padStart(3, "0")}.sql`, sql);
  const state = await up(url, { ...project.layer("many", ""), files: ["many"] });
  expect(await inRun(url, (run) => checked(run, state.inputs))).toMatchObject({ name: "many" });
});

test("what is needed goes first, and all else stays as it is written", async () => {
  const written = `create schema app;
    create or replace view app.seen as select id from app.items;
    drop table if exists app.items;
    create table app.items (id int default app.next());
    create or replace function app.next() returns int language sql return 1;
    alter table app.items alter id set default app.other();
    alter table app.items alter id set default 3;
    create function app.other() returns int language sql return 2;
    create or replace function app.next() returns int language sql return 4;`;
  const meant = `create schema app;
    create function app.other() returns int language sql return 2;
    create function app.next() returns int language sql return 4;
    create table app.items (id int default 3);
    create view app.seen as select id from app.items;`;
  expect(await hashOf(written, true)).toBe(await hashOf(meant, false));
});

test("a statement is read with the settings of its place, wherever it is executed", async () => {
  const written = `create schema a; create schema b;
    create view a.v as select * from b.t;
    set search_path = b;
    create table t (id r, at date default '02/03/2020');
    set datestyle = 'dmy';
    create domain r as int check (value <> extract(day from date '02/03/2020'));
    select set_config('search_path', 'a', false);
    create table t (id int);
    comment on table t is 'of a';`;
  const meant = `create schema a; create schema b;
    set datestyle = 'dmy'; create domain b.r as int check (value <> extract(day from date '02/03/2020'));
    set datestyle = 'mdy'; create table b.t (id b.r, at date default '02/03/2020');
    create view a.v as select * from b.t;
    create table a.t (id int); comment on table a.t is 'of a';`;
  expect(await hashOf(written, true)).toBe(await hashOf(meant, false));
});

test("a name is not found in another schema because what was meant is made later", async () => {
  const shared = "create schema a; create schema b; create table b.t (id int);";
  const written = `${shared} set search_path = a, b; create table t (id int, other int references u); create view v as select * from t; create table u (id int primary key);`;
  const meant = `${shared} create table a.u (id int primary key); create table a.t (id int, other int references a.u); create view a.v as select * from a.t;`;
  expect(await hashOf(written, true)).toBe(await hashOf(meant, false));
});

test("what is still missing is told at its place, each with the nearest name that is there", async () => {
  const message = await refusal(
    "create schema app;\ncreate view app.v as\n  select * from app.itmes;",
    'create table app.items (id int primary key, name text);\r\nalter table app.items alter colum_n set not null;\ncreate function app.f(x app.stat) returns int language sql return 1;\nalter table app.items alter nmae set not null;\ncomment on function app.g(int) is $$;$$; create view "W" as select * from items;',
    "create type app.state as enum ('on'); create view app.above as select * from app.v;",
  );
  expect(
    message,
  ).toContain(`${join("order", "1.sql")}:3:17: relation "app.itmes" does not exist. Did you mean app.items?
      select * from app.itmes;
                    ^`);
  const second = join("order", "2.sql");
  expect(message).toContain(`${second}:2:1: column "colum_n" of relation "items" does not exist`);
  expect(message).toContain(`${second}:3:25: type app.stat does not exist. Did you mean app.state?`);
  expect(message).toContain(
    `${second}:4:1: column "nmae" of relation "items" does not exist. Did you mean app.items.name?`,
  );
  expect(message).toContain("and 1 more");
  expect(message).not.toContain("3.sql");
});

test("objects that need one another are named, with what to write", async () => {
  const tables = await refusal(
    "create table a (id int primary key, b int references b);\ncreate table b (id int primary key, a int references a);\ncreate view v as select * from a;",
  );
  expect(tables).toContain(
    `1.sql:1:1: found a, which needs b (${join("order", "1.sql")}:2:1), which needs a (${join("order", "1.sql")}:1:1): no order makes all of them.`,
  );
  expect(tables).toContain("ALTER TABLE … ADD CONSTRAINT");
  const functions = await refusal(
    "create function f() returns int language sql as 'select g()';\ncreate function g() returns int language sql as 'select f()';",
  );
  expect(functions).toContain("SET check_function_bodies = off;");
});

test("of objects that need one another those are named that do, and not others of their names in another schema", async () => {
  const file = join("order", "1.sql");
  const told = await refusal(
    [
      "create schema app; create schema auth;",
      "create table auth.users (id int primary key, org int references app.orgs);",
      "create table app.users (id int primary key, org int references app.orgs);",
      "create table app.orgs (id int primary key, owner int references app.users);",
    ].join("\n"),
  );
  expect(told).toContain(
    `${file}:4:1: found app.orgs, which needs app.users (${file}:3:1), which needs app.orgs (${file}:4:1): no order makes all of them.`,
  );
  expect(told).not.toContain("auth.users");
});

test("a statement about all objects is not passed by what it would be about", async () => {
  const sql = [
    "create schema app; create table app.one (id int);",
    "create view app.v as select * from app.two;",
    "grant select on all tables in schema app to public;",
    "create table app.two (id int);",
  ];
  expect(await refusal(sql.join("\n"))).toContain(
    `1.sql:3:1: found a statement about all objects between ${join("order", "1.sql")}:2:1 and what that needs, ${join("order", "1.sql")}:4:1`,
  );
  expect(await refusal([sql[0], sql[1], sql[3], sql[2]].join("\n"))).toBe("");
});

test("a syntax error and a transaction are told at their place, whatever else is missing", async () => {
  expect(await refusal("create view v as select * from t; create tabel t (id int);")).toContain(
    "1.sql:1:42: syntax error",
  );
  expect(await refusal("create view v as select * from t;\ncommit;\ncreate table t (id int);")).toContain(
    "1.sql:2:1: found BEGIN, COMMIT or ROLLBACK",
  );
  expect(
    await refusal("create view v as select * from t;\ncreate table t (id int);\n create role some_role;"),
  ).toContain("1.sql:3:2: found a statement that changes a role");
  expect(
    await refusal("create view v as select * from t;\ncreate table t (id int);\ninsert into t values (1);"),
  ).toContain("1.sql:3:1: found rows of public.t");
});
