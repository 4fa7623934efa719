import { join } from "node:path";
import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { checked, inRun, pending, project, up } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const BASE = `create schema s; create table s.t (id int primary key, a text, b int); create sequence s.q; create index i on s.t (a);
  create view s.v as select id, a from s.t; create type s.c as (x int);
  create table s.p (k int, n int default 1) partition by list (k); create table s.p1 partition of s.p for values in (1);`;

/** What no fact holds, and what the refusal calls it. */
const UNMANAGED: [string, string][] = [
  ["insert into s.t values (1)", "rows of s.t"],
  ["create table s.copy as select 1 as id", "rows of s.copy"],
  ["select setval('s.q', 5)", "the value of the sequence s.q"],
  ["select lo_create(4242)", "large object 4242"],
];

const LINES = BASE.split("\n");
/** Behind the base and a space. */
const PLACE = `${LINES.length}:${(LINES.at(-1) ?? "").length + 2}`;

test.each(UNMANAGED)("%s is refused at its place, because no layer can hold it", async (sql, what) => {
  const { url } = await freshDatabase();
  const refusal = inRun(url, (run) => checked(run, project.layer("odd", `${BASE} ${sql};`)));
  await expect(refusal).rejects.toThrow(`odd.sql:${PLACE}: found ${what}, which no layer can hold`);
});

test("the place is that of the first statement of many, in the file that holds it", async () => {
  const { url } = await freshDatabase();
  project.write("many/1.sql", `${BASE}\nset search_path = s;`);
  const views = Array.from({ length: 7 }, (_, n) => `create view s.v${n} as select ${n} as n;`);
  const rows = "insert into s.words values ('a');";
  project.write("many/2.sql", ["create table s.words (word tsvector);", ...views, `  ${rows}`].join("\n"));
  project.write("many/3.sql", "select lo_create(4243);");
  const layer = { ...project.layer("many", ""), files: ["many"] };
  const refusal = inRun(url, (run) => checked(run, layer));
  await expect(refusal).rejects.toThrow(join("many", "2.sql:9:3: found large object 4243, rows of s.words"));
  await expect(refusal).rejects.toThrow(`      ${rows}\n      ^`);
});

test("what a layer assumes may be anything, and what its base has is not its own", async () => {
  const database = await freshDatabase();
  const assumed = `${BASE} insert into s.t values (1); create statistics s.st on id, b from s.t;`;
  await database.query(assumed);
  project.write("assumed.sql", assumed);
  const layer = project.layer("upper", "create index by_b on s.t (b);", { assumes: ["assumed.sql"] });
  const state = await up(database.url, layer);
  expect(await pending(database.url, state)).toEqual([]);
});

test("a partition may have a key of its own", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("keys", `${BASE} alter table s.p1 add primary key (k);`));
  expect(await pending(database.url, state)).toEqual([]);
});

test("an extension brings what it likes", async () => {
  const database = await freshDatabase();
  const sql = "create schema s; create extension citext schema s; create extension btree_gist schema s;";
  await up(database.url, project.layer("extensions", sql));
  expect(await database.query("select count(*)::int as casts from pg_cast where oid >= 16384")).not.toEqual([
    { casts: 0 },
  ]);
});

test.each([
  [
    "create user mapping for public server far options (password 'hunter2')",
    "the option password of user mapping PUBLIC on far",
  ],
  [
    "create subscription sub connection 'host=far password=hunter2' publication p with (connect = false)",
    "the connection of subscription sub",
  ],
])("%s is refused, and the value is not shown", async (sql, what) => {
  const { url } = await freshDatabase();
  const base = "create foreign data wrapper w; create server far foreign data wrapper w options (host 'far');";
  const refusal = inRun(url, (run) => checked(run, project.layer("secret", `${base} ${sql};`)));
  await expect(refusal).rejects.toThrow(`holds what may be a secret: ${what}.`);
  await expect(refusal).rejects.not.toThrow("hunter2");
});
