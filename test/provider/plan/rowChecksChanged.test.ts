/**
 * Rows that do not fit the results of a changed function: the answers are compared with what the server does.
 */
import { expect, test } from "vitest";
import { ask, changeOf, foundIn, isRefused, type Sample } from "./rowFixture.ts";

interface ChangedSample {
  /** What stands on the function `app.f(int)`. */
  on: string;
  /** Its body before, of `n`; by default `n`. */
  from?: string;
  to: string;
  /** Beside `on`, after the change only. */
  more?: string;
  found?: string[];
  /** Beside those of `app.t`. */
  rows?: string;
  /** What makes the rows fit. An index is built of rows that were deleted a moment ago as well. */
  mend?: string;
}

const f = (body: string): string =>
  `create function app.f(n int) returns int language plpgsql immutable as $$ begin return ${body}; end $$;`;
const T = "create table app.t (id int primary key, v int);";

const samples: Record<string, ChangedSample> = {
  "a check": {
    on: `${T} alter table app.t add constraint low check (app.f(v) < 3);`,
    to: "n + 1",
    found: ["1 row of app.t that CHECK ((app.f(v) < 3)) refuses by the changed function"],
    mend: "update app.t set v = 1 where v = 2",
  },
  "a check for which the new function raises an error": {
    on: `${T} alter table app.t add constraint low check (app.f(v) < 3);`,
    to: "1 / (n - 2)",
    found: ["at least 1 row of app.t that CHECK ((app.f(v) < 3)) refuses by the changed function"],
    mend: "delete from app.t where v = 2",
  },
  "a check by a function that calls the changed one": {
    on: `create function app.g(n int) returns int language sql as $$ select app.f(n) $$; ${T} alter table app.t add check (app.g(v) < 3);`,
    to: "n + 1",
    found: ["1 row of app.t that CHECK ((app.g(v) < 3)) refuses by the changed function"],
    mend: "update app.t set v = 1 where v = 2",
  },
  "a check that an index of the old results would answer": {
    on: `${T} create index old on app.t (app.f(v)); alter table app.t add check (app.f(v) < 3);`,
    to: "n + 1",
    found: ["1 row of app.t that CHECK ((app.f(v) < 3)) refuses by the changed function"],
    mend: "update app.t set v = 1 where v = 2",
  },
  "the check of a domain": {
    on: "create domain app.low as int check (app.f(value) < 3); create table app.t (id int primary key, v app.low);",
    to: "n + 1",
    found: ["1 row of app.t whose v CHECK ((app.f(VALUE) < 3)) refuses"],
    mend: "update app.t set v = 1 where v = 2",
  },
  "a unique index": {
    on: `${T} create unique index one on app.t (app.f(v));`,
    to: "n / 2",
    found: ["1 value of (app.f(v)) in more than one row of app.t by the changed function"],
    mend: "delete from app.t where v = 0",
  },
  "a unique index for which the new function raises an error": {
    on: `${T} create unique index one on app.t (app.f(v));`,
    to: "1 / (n - 2)",
    found: ["1 row of app.t for which the changed function has no result to keep in index app.one"],
    mend: "truncate app.t",
  },
  "a predicate for which the new function raises an error": {
    on: `${T} create index partly on app.t (id) where app.f(v) > 0;`,
    to: "1 / (n - 2)",
    found: ["1 row of app.t for which the changed function has no result to keep in index app.partly"],
    mend: "truncate app.t",
  },
  "a predicate by which more rows have to be unique": {
    on: `create table app.t (id int primary key, v int, k int default 1); create unique index one on app.t (k) where app.f(v) = 1;`,
    to: "1",
    found: ["1 value of (k) in more than one row of app.t by the changed function"],
    mend: "delete from app.t where v <> 1",
  },
  "an exclusion constraint": {
    on: `${T} alter table app.t add constraint apart exclude using btree (app.f(v) with =);`,
    to: "n / 2",
    found: ["2 rows of app.t in conflict with another one by (app.f(v)) by the changed function"],
    mend: "delete from app.t where v = 0",
  },
  "an index of a partition": {
    on: `create table app.t (id int, v int) partition by range (v); create table app.a partition of app.t for values from (0) to (10);
      create unique index one on app.a (app.f(v));`,
    to: "n / 2",
    found: ["1 value of (app.f(v)) in more than one row of app.a by the changed function"],
    mend: "delete from app.t where v = 0",
  },
  "a list partition": {
    on: `create table app.t (id int, v int) partition by list (app.f(v)); create table app.a partition of app.t for values in (0, 1);
      create table app.b partition of app.t for values in (2); create table app.rest partition of app.t default;`,
    to: "n + 1",
    found: [
      "1 row of app.a that belong to another partition by the changed function",
      "1 row of app.b that belong to another partition by the changed function",
    ],
    mend: "delete from app.t where v in (1, 2)",
  },
  "a default partition": {
    on: `create table app.t (id int, v int) partition by list (app.f(v)); create table app.b partition of app.t for values in (3);
      create table app.rest partition of app.t default;`,
    to: "n + 1",
    found: ["1 row of app.rest that belong to another partition by the changed function"],
    mend: "delete from app.t where v = 2",
  },
  "a range partition": {
    on: `create table app.t (id int, v int) partition by range (app.f(v)); create table app.a partition of app.t for values from (0) to (3);`,
    to: "n + 1",
    found: ["1 row of app.a that belong to another partition by the changed function"],
    mend: "delete from app.t where v = 2",
  },
  "a hash partition": {
    on: `create table app.t (id int, v int) partition by hash (app.f(v)); create table app.a partition of app.t for values with (modulus 1, remainder 0);`,
    to: "n + 1",
  },
  "a stored column": {
    on: "create table app.t (id int primary key, v int, w int generated always as (app.f(v)) stored);",
    to: "1 / (n - 2)",
    found: ["1 row of app.t for which the changed function has no result to keep in column app.t.w"],
    mend: "delete from app.t where v = 2",
  },
  "a stored column that demands a value": {
    on: "create table app.t (id int primary key, v int, w int not null generated always as (app.f(v)) stored);",
    to: "nullif(n, 2)",
    found: ["1 row of app.t for which w has no value by the changed function"],
    mend: "delete from app.t where v = 2",
  },
  "a stored column with a check, a key and an exclusion": {
    on: `create table app.t (id int primary key, v int, w int generated always as (app.f(v)) stored unique check (w < 3));
      create unique index one on app.t ((w + 1));`,
    to: "n / 2 + 2",
    found: [
      "1 row of app.t that CHECK ((w < 3)) refuses",
      "1 value of (w) in more than one row of app.t",
      "1 value of (((w + 1))) in more than one row of app.t",
    ],
    mend: "delete from app.t where v <> 1",
  },
  "a stored column with foreign keys to it and of it": {
    on: `create table app.t (id int primary key, v int, w int generated always as (app.f(v)) stored unique);
      create table app.other (w int references app.t (w));`,
    rows: "insert into app.other values (2);",
    to: "n + 3",
    found: ["1 row of app.other without a matching row in app.t"],
    mend: "delete from app.other",
  },
  "a new check on a stored column that is computed once more": {
    on: "create table app.t (id int primary key, v int, w int generated always as (app.f(v)) stored);",
    more: "alter table app.t add check (w < 3);",
    to: "n + 1",
    found: ["1 row of app.t that CHECK ((w < 3)) refuses"],
    mend: "delete from app.t where v = 2",
  },
  "a new check by the new function": {
    on: T,
    more: "alter table app.t add check (app.f(v) < 3);",
    to: "n + 1",
    found: ["1 row of app.t that CHECK ((app.f(v) < 3)) refuses"],
    mend: "delete from app.t where v = 2",
  },
  "a new check that only the old function would refuse": {
    on: T,
    more: "alter table app.t add check (app.f(v) < 2);",
    to: "n - 1",
  },
  "a materialized view for which the new function raises an error": {
    on: `${T} create materialized view app.m as select id, app.f(v) as w from app.t;`,
    to: "1 / (n - 2)",
    found: ["at least 1 row of materialized view app.m for which the changed function has no result"],
    mend: "delete from app.t where v = 2",
  },
  "a unique index of a materialized view": {
    on: `${T} create materialized view app.m as select id, app.f(v) as w from app.t; create unique index one on app.m (w);`,
    to: "n / 2",
    found: ["1 value of (w) in more than one row of materialized view app.m by the changed function"],
    mend: "delete from app.t where v = 0",
  },
};

const ROWS = "insert into app.t (id, v) values (10, 0), (11, 1), (12, 2);";

for (const [name, { on, from = "n", to, more = "", found = [], mend, rows = "" }] of Object.entries(samples)) {
  test(`${name}: the rows answer what the server would say of the new function`, async () => {
    const sample: Sample = { before: `${f(from)} ${on}`, after: `${f(to)} ${on} ${more}`, rows: ROWS + rows };
    const change = await changeOf(sample);
    await change.live.query(
      "do $$ begin if to_regclass('app.m') is not null then refresh materialized view app.m; end if; end $$",
    );
    expect(foundIn(await ask(change)).sort()).toEqual([...found].sort());
    expect(await isRefused(change)).toBe(found.length > 0);
    if (mend === undefined) return;
    await change.live.query(mend);
    expect(foundIn(await ask(change))).toEqual([]);
    expect(await isRefused(change)).toBe(false);
  });
}
