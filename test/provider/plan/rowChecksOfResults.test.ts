import { expect, test } from "vitest";
import { rowWarnings } from "../../../provider/plan/rowChecks/report.ts";
import { canFail } from "../../../provider/plan/rowChecks/trials.ts";
import { ask, changeOf } from "./rowFixture.ts";
import { T, testTrials } from "./rowTrials.ts";

const ZERO = "insert into app.t values (1, 0, 'a'), (2, 1, '2');";

/** Texts that no compression makes short, and one that it does. */
const LONG = `insert into app.t select g, g, (select string_agg(md5(g::text || n), '') from generate_series(1, 400) n) from generate_series(1, 2) g;
  insert into app.t values (9, 9, repeat('x', 100000));`;

testTrials({
  "an index of an expression": {
    before: T,
    after: `${T} create index i on app.t ((10 / v));`,
    rows: ZERO,
    found: ["1 row of app.t for which (10 / v) cannot be computed"],
    keys: ["1"],
    mend: "update app.t set v = 5",
  },
  "an index of an expression, for some rows": {
    before: T,
    after: `${T} create index i on app.t ((10 / v)) where v > 0;`,
    rows: ZERO,
  },
  "an index whose predicate fails": {
    before: T,
    after: `${T} create index i on app.t (v) where w::int > 1;`,
    rows: ZERO,
    found: ["1 row of app.t for which (w)::integer > 1 cannot be computed"],
    keys: ["1"],
    mend: "update app.t set w = '3'",
  },
  "a unique index of an expression": {
    before: T,
    after: `${T} create unique index i on app.t ((w::int));`,
    rows: ZERO,
    found: ["1 row of app.t for which (w)::integer cannot be computed"],
    keys: ["1"],
    mend: "update app.t set w = id",
  },
  "an exclusion constraint of an expression": {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, exclude using btree ((10 / v) with =));",
    rows: ZERO,
    found: ["1 row of app.t for which (10 / v) cannot be computed"],
    keys: ["1"],
    mend: "update app.t set v = id",
  },
  "a stored column with another expression": {
    before: "create table app.t (id int primary key, v int, g int generated always as (v + 1) stored);",
    after: "create table app.t (id int primary key, v int, g int not null generated always as (10 / v) stored);",
    rows: "insert into app.t (id, v) values (1, 0), (2, 1);",
    found: ["1 row of app.t for which g cannot be computed"],
    keys: ["1"],
    mend: "update app.t set v = 5",
  },
  "a virtual column that has no value for a row": {
    since: 18,
    before: T,
    after: "create table app.t (id int primary key, v int, w text, g int generated always as (10 / v) virtual);",
    rows: ZERO,
  },
  "an index of long values": {
    before: T,
    after: `${T} create index i on app.t (w);`,
    rows: LONG,
    found: ["2 rows of app.t whose (w) has more than the 2,692 bytes that an entry of a B-tree index has room for"],
    keys: ["1", "2"],
    mend: "update app.t set w = left(w, 2000)",
  },
  "an index that includes long values": {
    before: T,
    after: `${T} create unique index i on app.t (v) include (w);`,
    rows: LONG,
    found: ["2 rows of app.t whose (v, w) has more than the 2,692 bytes that an entry of a B-tree index has room for"],
    keys: ["1", "2"],
    mend: "update app.t set w = left(w, 2000)",
  },
  "a key of long values of a partitioned table": {
    before:
      "create table app.t (id int, v int, w text) partition by list (id); create table app.a partition of app.t default;",
    after:
      "create table app.t (id int, v int, w text, unique (id, w)) partition by list (id); create table app.a partition of app.t default;",
    rows: LONG,
    found: ["2 rows of app.t whose (id, w) has more than the 2,692 bytes that an entry of a B-tree index has room for"],
    mend: "update app.t set w = left(w, 2000)",
  },
  "a materialized view whose query fails": {
    before: T,
    after: `${T} create materialized view app.m as select id, 10 / v as x from app.t;`,
    rows: ZERO,
    found: ["at least 1 row for which the query of materialized view app.m fails"],
    mend: "update app.t set v = 5",
  },
  "a materialized view that is created again over a view whose query fails": {
    before: `${T} create view app.x as select id, v from app.t; create materialized view app.m as select id from app.x;`,
    after: `${T} create view app.x as select id, 10 / v as v from app.t; create materialized view app.m as select id, (select x.v from app.x where x.id > t.id) as v from app.t;`,
    rows: "insert into app.t values (1, 1, ''), (2, 1, ''), (3, 1, '');",
    found: ["at least 1 row for which the query of materialized view app.m fails"],
    mend: "delete from app.t where id > 2",
  },
  "a materialized view that reads one without data": {
    before: `${T} create materialized view app.n as select v from app.t;`,
    after: `${T} create materialized view app.n as select v from app.t; create materialized view app.m as select v from app.n;`,
    rows: "refresh materialized view app.n with no data;",
    found: ["unpopulated: rows for which the query of materialized view app.m fails"],
    mend: "refresh materialized view app.n",
  },
  "a key of an enum that comes with it": {
    before: "create table app.t (id int primary key, w text, ws text[]);",
    after:
      "create type app.e as enum ('a', 'b'); create table app.t (id int primary key, w app.e unique, ws app.e[] unique);",
    rows: "insert into app.t values (1, 'a', '{a,b}'), (2, 'a', '{b}');",
    found: ["1 value of (w) in more than one row of app.t"],
    keys: ["1", "2"],
    mend: "update app.t set w = 'b' where id = 2",
  },
  "long values in indexes of other kinds": {
    before: T,
    after: `${T} create index i on app.t using hash (w); create index j on app.t using gin (to_tsvector('simple', w)); create index k on app.t (md5(w));`,
    rows: LONG,
  },
  "a value that just has room": {
    before: T,
    after: `${T} create index i on app.t (w);`,
    rows: "insert into app.t values (1, 1, (select left(string_agg(md5(n::text), ''), 2692) from generate_series(1, 400) n));",
  },
});

test("long values that an index computes and compresses are a warning", async () => {
  const change = await changeOf({ before: T, after: `${T} create index i on app.t (lower(w));`, rows: LONG });
  expect(rowWarnings(await ask(change))).toEqual([
    expect.stringMatching(
      /^PS217: found 3 rows of app.t whose \(lower\(w\)\) has more than .* may refuse in: CREATE INDEX/,
    ),
  ]);
});

test.each([
  ["json", "jsonb", `'{"a": [{"b": 1, "b": 2}]}'`, `'{"b": {"a": 1}, "a": [1, 1]}'`],
  ["text", "character(5)", "'a '", "' a'"],
  ["inet", "cidr", "'10.0.0.5/24'", "'10.0.0.0/24'"],
  ["integer", "boolean", "7", "1"],
  ["numeric", "money", "1.234", "1.23"],
  ["double precision", "numeric", "0.1::float8 + 0.2::float8", "0.25"],
  ["timestamp with time zone", "time without time zone", "'2026-01-01 10:00'", "null"],
])("values of %s that lose a part in %s are counted, and no others", async (from, to, lossy, whole) => {
  const change = await changeOf({
    before: `create table app.t (id int primary key, v ${from});`,
    after: `create table app.t (id int primary key, v ${to});`,
    rows: `insert into app.t values (1, ${lossy}), (2, ${whole}), (3, null);`,
  });
  const checks = await ask(change);
  const losses = checks.filter(({ question }) => question.effect === "changed");
  expect(losses.map(({ answer }) => answer)).toMatchObject([{ kind: "found", count: 1 }]);
  expect(rowWarnings(losses)[0]).toMatch(/^\s*PS216: found 1 row of app.t whose v loses a part of its value in /);
});

test.each([
  "lower(w)",
  " SELECT t.w, count(*) AS count, sum(t.v) FROM (app.t JOIN app.u USING (id)) WHERE (t.v IN ( SELECT u.v FROM app.u)) GROUP BY t.w",
  "(data ->> 'a'::text)",
  "(v > 1) AND (w = ANY (ARRAY['a'::text, 'b'::text]))",
  "COALESCE(w, ''::text) || \"Name\"",
  "(state = 'a'::app.state) AND (at > '2026-01-01 00:00:00'::timestamp without time zone)",
])("nothing is asked of rows for an expression that has a value for each: %s", (sql) => {
  expect(canFail(sql)).toBe(false);
});

test.each([
  "v / 2",
  "SELECT ( SELECT u.v FROM app.u) AS v FROM app.t",
  "(w)::integer",
  "(w)::app.state",
  "app.rank(w)",
  '"left"(w, 3)',
  "- v",
])("rows are asked about an expression that may fail: %s", (sql) => {
  expect(canFail(sql)).toBe(true);
});
