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
  ["create statistics s.st on id, b from s.t", "statistics s.st"],
  ["create cast (s.c as text) with inout", "cast from s.c to text"],
  ["create operator s.=== (leftarg = int, rightarg = int, function = int4eq)", "operator s.===(integer,integer)"],
  ["create operator family s.fam using btree", "operator family fam"],
  ["create text search configuration s.cfg (copy = pg_catalog.english)", "text search configuration cfg"],
  ["create text search dictionary s.dict (template = simple)", "text search dictionary dict"],
  ["create conversion s.cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8", "conversion cv"],
  ["create language plx handler plpgsql_call_handler", "language plx"],
  ["create access method heap2 type table handler heap_tableam_handler", "access method heap2"],
  ["alter table s.t alter a set storage external", "storage of column s.t.a"],
  ["alter table s.t alter a set compression pglz", "compression of column s.t.a"],
  ["alter table s.t alter a set statistics 500", "statistics target of column s.t.a"],
  ["alter table s.t alter a set (n_distinct = 5)", "options of column s.t.a"],
  ["comment on column s.v.a is 'x'", "comment on column s.v.a"],
  ["comment on column s.c.x is 'x'", "comment on column s.c.x"],
  ["comment on column s.p1.k is 'x'", "comment on column s.p1.k"],
  ["grant select (a) on s.v to public", "privileges on column s.v.a"],
  ["grant select (k) on s.p1 to public", "privileges on column s.p1.k"],
  ["revoke usage on language plpgsql from public", "privileges on the language plpgsql"],
  ["alter view s.v alter a set default 'x'", "default of view column s.v.a"],
  ["alter table s.t set (toast.autovacuum_enabled = false)", "TOAST options of s.t"],
  ["alter table s.t cluster on i", "CLUSTER ON s.i"],
  ["create table s.typed of s.c", "typed table s.typed"],
  ["alter index s.i depends on extension plpgsql", "dependence on an extension of index s.i"],
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
  const index = "create index j on s.words using gist (word tsvector_ops (siglen = 32));";
  project.write(
    "many/2.sql",
    ["create table s.words (word tsvector);", ...views, `  ${index}`, "comment on column s.v1.n is 'x';"].join("\n"),
  );
  project.write("many/3.sql", "create statistics s.st on id, b from s.t;");
  const layer = { ...project.layer("many", ""), files: ["many"] };
  const refusal = inRun(url, (run) => checked(run, layer));
  await expect(refusal).rejects.toThrow(
    join(
      "many",
      "2.sql:9:3: found comment on column s.v1.n, options of the operator class in index s.j, statistics s.st",
    ),
  );
  await expect(refusal).rejects.toThrow(`      ${index}\n      ^`);
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
