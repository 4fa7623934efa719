import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { destroy, pending, preview, project, sqlOf, up } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const BASE = `create schema s;
  create table s.t (id int primary key, a text, b int, c int); create index i on s.t (a); create index j on s.t ((b + c));
  create view s.v as select id, a from s.t; create materialized view s.m as select id, a from s.t; create type s.c as (x int, y text);
  create function s.eq(int, int) returns bool language sql immutable as 'select $1 = $2';
  create function s.neq(int, int) returns bool language sql immutable as 'select $1 <> $2';`;

interface Life {
  /** What a layer says of some objects, and what later. */
  first: string;
  second: string;
  /** Lines of the plan that leads from the first to the second, in this order. */
  plan: string[];
  /** What somebody else does, and lines of the plan that repairs it. */
  drift: string;
  repair: string[];
}

const LIVES: Record<string, Life[]> = {
  statistics: [
    {
      first: "create statistics s.st (dependencies) on b, c from s.t; comment on statistics s.st is 'one';",
      second:
        "create statistics s.st (dependencies, ndistinct) on b, c from s.t; alter statistics s.st set statistics 100;",
      plan: [
        "DROP STATISTICS s.st",
        "CREATE STATISTICS s.st (ndistinct, dependencies) ON b, c FROM s.t",
        "ALTER STATISTICS s.st SET STATISTICS 100",
      ],
      drift: "drop statistics s.st",
      repair: ["CREATE STATISTICS s.st (dependencies) ON b, c FROM s.t"],
    },
    {
      first: "create statistics s.ex on (b + c), (a || 'x') from s.t;",
      second: "create statistics s.ex on (b + c), (a || 'y'::varchar) from s.t;",
      plan: ["DROP STATISTICS s.ex"],
      drift: "alter statistics s.ex set statistics 7",
      repair: ["ALTER STATISTICS s.ex SET STATISTICS -1"],
    },
    {
      first: "alter table s.t alter b set statistics 500;",
      second: "alter table s.t alter b set statistics 200;",
      plan: ['ALTER TABLE ONLY "s"."t" ALTER COLUMN "b" SET STATISTICS 200'],
      drift: "alter table s.t alter b set statistics -1",
      repair: ['ALTER TABLE ONLY "s"."t" ALTER COLUMN "b" SET STATISTICS 500'],
    },
    {
      first: "alter table s.t alter b set (n_distinct = 5);",
      second: "alter table s.t alter b set (n_distinct_inherited = -0.5);",
      plan: [
        'ALTER TABLE ONLY "s"."t" ALTER COLUMN "b" RESET (n_distinct)',
        'ALTER TABLE ONLY "s"."t" ALTER COLUMN "b" SET (n_distinct_inherited = -0.5)',
      ],
      drift: "alter table s.t alter b reset (n_distinct)",
      repair: ['ALTER TABLE ONLY "s"."t" ALTER COLUMN "b" SET (n_distinct = 5)'],
    },
    {
      first: "alter index s.j alter column 1 set statistics 300;",
      second: "alter index s.j alter column 1 set statistics 400;",
      plan: ['ALTER INDEX "s"."j" ALTER COLUMN 1 SET STATISTICS 400'],
      drift: "alter index s.j alter column 1 set statistics -1",
      repair: ['ALTER INDEX "s"."j" ALTER COLUMN 1 SET STATISTICS 300'],
    },
  ],
  "how columns and tables are stored": [
    {
      first: "alter table s.t alter a set storage external;",
      second: "alter table s.t alter a set storage main;",
      plan: ['ALTER TABLE ONLY "s"."t" ALTER COLUMN "a" SET STORAGE MAIN'],
      drift: "alter table s.t alter a set storage plain",
      repair: ['ALTER TABLE ONLY "s"."t" ALTER COLUMN "a" SET STORAGE EXTERNAL'],
    },
    {
      first: "alter table s.t alter a set compression pglz;",
      second: "",
      plan: ['ALTER TABLE ONLY "s"."t" ALTER COLUMN "a" SET COMPRESSION default'],
      drift: "alter table s.t alter a set compression default",
      repair: ['ALTER TABLE ONLY "s"."t" ALTER COLUMN "a" SET COMPRESSION pglz'],
    },
    {
      first: "alter table s.t set (toast.autovacuum_enabled = false);",
      second: "alter table s.t set (toast.autovacuum_vacuum_threshold = 100);",
      plan: [
        'ALTER TABLE "s"."t" RESET (toast.autovacuum_enabled)',
        'ALTER TABLE "s"."t" SET (toast.autovacuum_vacuum_threshold = 100)',
      ],
      drift: "alter table s.t reset (toast.autovacuum_enabled)",
      repair: ['ALTER TABLE "s"."t" SET (toast.autovacuum_enabled = false)'],
    },
    {
      first: "alter table s.t cluster on i;",
      second: "alter table s.t cluster on t_pkey;",
      plan: ['ALTER TABLE "s"."t" CLUSTER ON "t_pkey"'],
      drift: "alter table s.t set without cluster",
      repair: ['ALTER TABLE "s"."t" CLUSTER ON "i"'],
    },
    {
      first: "create table s.typed of s.c;",
      second: "create table s.typed (x int, y text);",
      plan: ['ALTER TABLE "s"."typed" NOT OF'],
      drift: "alter table s.typed not of",
      repair: ['ALTER TABLE "s"."typed" OF s.c'],
    },
    {
      first:
        "alter index s.i depends on extension plpgsql; alter function s.eq(int, int) depends on extension plpgsql;",
      second: "alter function s.eq(int, int) depends on extension plpgsql;",
      plan: ['ALTER index s.i NO DEPENDS ON EXTENSION "plpgsql"'],
      drift: "alter index s.i no depends on extension plpgsql",
      repair: ['ALTER index s.i DEPENDS ON EXTENSION "plpgsql"'],
    },
    {
      first:
        "create access method heap2 type table handler heap_tableam_handler; create table s.other (id int) using heap2;",
      second: "create access method heap2 type table handler heap_tableam_handler; create table s.other (id int);",
      plan: ['ALTER TABLE "s"."other" SET ACCESS METHOD heap'],
      drift: "alter table s.other set access method heap",
      repair: ['ALTER TABLE "s"."other" SET ACCESS METHOD heap2'],
    },
  ],
  "columns of foreign tables": [
    {
      first: `create foreign data wrapper w_objects; create server far_objects foreign data wrapper w_objects;
        create foreign table s.far (id int options (name 'nr', kind 'a')) server far_objects;`,
      second: `create foreign data wrapper w_objects; create server far_objects foreign data wrapper w_objects;
        create foreign table s.far (id int options (name 'it''s', other 'b')) server far_objects;`,
      plan: [
        `ALTER FOREIGN TABLE "s"."far" ALTER COLUMN "id" OPTIONS (DROP "kind", SET "name" 'it''s', ADD "other" 'b')`,
      ],
      drift: "alter foreign table s.far alter id options (drop kind)",
      repair: [`ALTER FOREIGN TABLE "s"."far" ALTER COLUMN "id" OPTIONS (ADD "kind" 'a')`],
    },
  ],
  "columns of views and composite types": [
    {
      first: "comment on column s.v.a is 'one'; comment on column s.m.a is 'one'; comment on column s.c.x is 'one';",
      second: "comment on column s.v.a is 'two'; comment on column s.m.a is 'it''s';",
      plan: ['COMMENT ON COLUMN "s"."c"."x" IS NULL'],
      drift: "comment on column s.v.a is null",
      repair: [`COMMENT ON COLUMN "s"."v"."a" IS 'one'`],
    },
    {
      first: "grant select (a) on s.v to public; grant select (id) on s.m to public;",
      second: "grant select (id), update (a) on s.v to public;",
      plan: ['GRANT UPDATE ("a") ON TABLE "s"."v" TO PUBLIC'],
      drift: "revoke select (a) on s.v from public",
      repair: ['GRANT SELECT ("a") ON TABLE "s"."v" TO PUBLIC'],
    },
    {
      first:
        "alter view s.v alter a set default 'one'; create sequence s.q; alter view s.v alter id set default nextval('s.q');",
      second: "alter view s.v alter a set default 'two';",
      plan: ['ALTER VIEW "s"."v" ALTER COLUMN "a" SET DEFAULT \'two\'::text'],
      drift: "alter view s.v alter a drop default",
      repair: [`ALTER VIEW "s"."v" ALTER COLUMN "a" SET DEFAULT 'one'::text`],
    },
  ],
  "text search": [
    {
      first: "create text search configuration s.cfg (copy = pg_catalog.simple);",
      second:
        "create text search configuration s.cfg (copy = pg_catalog.english); alter text search configuration s.cfg drop mapping for url;",
      plan: ["ALTER TEXT SEARCH CONFIGURATION s.cfg DROP MAPPING FOR url"],
      drift: "alter text search configuration s.cfg drop mapping for int",
      repair: ['ALTER TEXT SEARCH CONFIGURATION s.cfg ADD MAPPING FOR "int" WITH pg_catalog.simple'],
    },
    {
      first: `create text search dictionary s.dict (template = simple, stopwords = english);
      create text search configuration s.cfg2 (parser = default); alter text search configuration s.cfg2 add mapping for word with s.dict;`,
      second: `create text search dictionary s.dict (template = simple, accept = false); comment on text search dictionary s.dict is 'x';
      create text search configuration s.cfg2 (parser = default); alter text search configuration s.cfg2 add mapping for word with s.dict, simple;`,
      plan: ["ALTER TEXT SEARCH DICTIONARY s.dict (accept = 'false', stopwords)"],
      drift: "alter text search dictionary s.dict (stopwords)",
      repair: ["ALTER TEXT SEARCH DICTIONARY s.dict (stopwords = 'english')"],
    },
    {
      first: `create text search parser s.prs (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype, headline = prsd_headline);
      create text search template s.tmpl (init = dsimple_init, lexize = dsimple_lexize); create text search dictionary s.own (template = s.tmpl);`,
      second:
        "create text search parser s.prs (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);",
      plan: ["DROP TEXT SEARCH DICTIONARY s.own", "DROP TEXT SEARCH TEMPLATE s.tmpl"],
      drift: "drop text search template s.tmpl cascade",
      repair: [
        "CREATE TEXT SEARCH TEMPLATE s.tmpl (INIT = dsimple_init, LEXIZE = dsimple_lexize)",
        "CREATE TEXT SEARCH DICTIONARY s.own (TEMPLATE = s.tmpl)",
      ],
    },
  ],
  operators: [
    {
      first: `create operator s.=== (leftarg = int, rightarg = int, function = s.eq, restrict = eqsel);
      create view s.uses as select id from s.t where b operator(s.===) c; create operator s.!== (rightarg = int, function = abs);`,
      second: `create operator s.=== (leftarg = int, rightarg = int, function = s.eq, join = eqjoinsel);
      create view s.uses as select id from s.t where b operator(s.===) c; comment on operator s.=== (int, int) is 'x';`,
      plan: ["ALTER OPERATOR s.===(integer,integer) SET (RESTRICT = NONE)"],
      drift: "drop operator s.!== (none, int)",
      repair: ["CREATE OPERATOR s.!== (FUNCTION = pg_catalog.abs, RIGHTARG = integer)"],
    },
    {
      first: `create operator s.~~~ (leftarg = int, rightarg = int, function = s.eq);
      create view s.uses2 as select id from s.t where b operator(s.~~~) c;`,
      second: `create operator s.~~~ (leftarg = int, rightarg = int, function = s.neq, commutator = operator(s.~~~));
      create view s.uses2 as select id from s.t where b operator(s.~~~) c;`,
      plan: [
        'DROP VIEW "s"."uses2"',
        "DROP OPERATOR s.~~~(integer,integer)",
        "CREATE OPERATOR s.~~~ (FUNCTION = s.neq, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(s.~~~))",
      ],
      drift: "drop operator s.~~~ (int, int) cascade",
      repair: ["CREATE OPERATOR s.~~~ (FUNCTION = s.eq, LEFTARG = integer, RIGHTARG = integer)"],
    },
    {
      first: `create operator class s.ops for type int using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);
      create index k on s.t (b s.ops);`,
      second: `create operator family s.fam using btree;
      create operator class s.ops for type int using btree family s.fam as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);
      create index k on s.t (b s.ops); comment on operator class s.ops using btree is 'x';`,
      plan: ['DROP INDEX "s"."k"', "DROP OPERATOR CLASS s.ops USING btree", "DROP OPERATOR FAMILY s.ops USING btree"],
      drift: "drop index s.k; drop operator family s.ops using btree cascade",
      repair: [
        "CREATE OPERATOR FAMILY s.ops USING btree",
        "CREATE OPERATOR CLASS s.ops FOR TYPE integer USING btree FAMILY s.ops AS FUNCTION 1 (integer, integer) btint4cmp(integer,integer), OPERATOR 1 <(integer,integer), OPERATOR 2 <=(integer,integer), OPERATOR 3 =(integer,integer), OPERATOR 4 >=(integer,integer), OPERATOR 5 >(integer,integer)",
        "CREATE INDEX k ON s.t USING btree (b s.ops)",
      ],
    },
    {
      first: `create operator family s.loose using btree;
      alter operator family s.loose using btree add operator 1 < (int, int), operator 3 = (int, int), function 1 (int, int) btint4cmp(int, int);`,
      second: `create operator family s.loose using btree;
      alter operator family s.loose using btree add operator 1 < (int, int), operator 5 > (int, int);`,
      plan: [
        "ALTER OPERATOR FAMILY s.loose USING btree DROP FUNCTION 1 (integer, integer), OPERATOR 3 (integer,integer)",
        "ALTER OPERATOR FAMILY s.loose USING btree ADD OPERATOR 5 >(integer,integer)",
      ],
      drift: "alter operator family s.loose using btree drop operator 3 (int, int)",
      repair: ["ALTER OPERATOR FAMILY s.loose USING btree ADD OPERATOR 3 =(integer,integer)"],
    },
  ],
  "casts, conversions, languages and transforms": [
    {
      first: "create type s.span as range (subtype = float8); create cast (s.c as text) with inout as assignment;",
      second: "create type s.span as range (subtype = float8); create cast (s.c as text) with inout as implicit;",
      plan: ["DROP CAST (s.c AS pg_catalog.text)", "CREATE CAST (s.c AS pg_catalog.text) WITH INOUT AS IMPLICIT"],
      drift: "drop cast (s.c as text)",
      repair: ["CREATE CAST (s.c AS pg_catalog.text) WITH INOUT AS ASSIGNMENT"],
    },
    {
      first: "create conversion s.cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;",
      second: "create default conversion s.cv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;",
      plan: ["DROP CONVERSION s.cv", "CREATE DEFAULT CONVERSION s.cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8"],
      drift: "drop conversion s.cv",
      repair: ["CREATE CONVERSION s.cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8"],
    },
    {
      first:
        "create trusted language plx handler plpgsql_call_handler; create function s.f() returns int language plx as 'begin return 1; end';",
      second:
        "create trusted language plx handler plpgsql_call_handler inline plpgsql_inline_handler; revoke usage on language plx from public;",
      plan: ['DROP FUNCTION "s"."f"()', "DROP LANGUAGE plx", 'REVOKE ALL ON LANGUAGE "plx" FROM PUBLIC'],
      drift: "drop function s.f(); drop language plx",
      repair: ["CREATE TRUSTED LANGUAGE plx HANDLER plpgsql_call_handler"],
    },
    {
      first: "revoke usage on language plpgsql from public;",
      second: "",
      plan: ['GRANT USAGE ON LANGUAGE "plpgsql" TO PUBLIC'],
      drift: "grant usage on language plpgsql to public",
      repair: ['REVOKE ALL ON LANGUAGE "plpgsql" FROM PUBLIC'],
    },
    {
      first:
        "create function s.from_sql(internal) returns internal language internal immutable as 'int4in'; create transform for s.c language sql (from sql with function s.from_sql(internal));",
      second: "create function s.from_sql(internal) returns internal language internal immutable as 'int4in';",
      plan: ["DROP TRANSFORM for s.c language sql"],
      drift: "drop transform for s.c language sql",
      repair: ["CREATE TRANSFORM for s.c language sql (FROM SQL WITH FUNCTION s.from_sql(internal))"],
    },
  ],
};

const all = (lives: readonly Life[], part: "first" | "second" | "drift"): string =>
  lives
    .map((life) => life[part])
    .filter((sql) => sql !== "")
    .join(";\n")
    .replaceAll(";;", ";");

test.each(Object.entries(LIVES))(
  "%s: adopted, seen as drift, repaired, changed, dropped and destroyed",
  async (name, lives) => {
    const database = await freshDatabase();
    const layer = `objects${Object.keys(LIVES).indexOf(name)}`;
    const saying = (sql: string): ReturnType<typeof project.layer> => project.layer(layer, `${BASE}\n${sql};`);
    await database.query(`${BASE}\n${all(lives, "first")}`);
    const [adopting] = await preview(database.url, [saying(all(lives, "first"))]);
    expect(sqlOf(adopting)).toEqual([]);
    await database.query(
      "drop schema s cascade; drop access method if exists heap2; drop language if exists plx; drop foreign data wrapper if exists w_objects cascade; grant usage on language plpgsql to public",
    );

    let state = await up(database.url, saying(all(lives, "first")));
    expect(await pending(database.url, state)).toEqual([]);

    await database.query(all(lives, "drift"));
    const [repairing] = await preview(database.url, [saying(all(lives, "first"))], [state]);
    const repair = sqlOf(repairing);
    for (const life of lives) expect(repair.filter((line) => life.repair.includes(line))).toEqual(life.repair);
    state = await up(database.url, saying(all(lives, "first")), state);
    expect(await pending(database.url, state)).toEqual([]);

    const [changing] = await preview(database.url, [saying(all(lives, "second"))], [state]);
    const lines = sqlOf(changing);
    for (const { plan } of lives) expect(lines.filter((line) => plan.includes(line))).toEqual(plan);
    state = await up(database.url, saying(all(lives, "second")), state);
    expect(await pending(database.url, state)).toEqual([]);

    state = await up(database.url, saying(""), state);
    expect(await pending(database.url, state)).toEqual([]);
    await destroy(database.url, state);
    expect(await database.query("select from pg_namespace where nspname = 's'")).toEqual([]);
  },
);
