/**
 * Rows that no longer fit what stays on a column when it gets another collation, type or expression: the
 * answers are compared with what the server does.
 */
import { expect, test } from "vitest";
import { ask, changeOf, foundIn, isRefused } from "./rowFixture.ts";

interface KeptSample {
  /** With `COLUMN` in place of what `v` is. */
  sql: string;
  from?: string;
  to?: string;
  rows?: string;
  found?: string[];
  /** What makes the rows fit. */
  mend?: string;
  /** Whether the server looks at the rows, which for a foreign key it does not. */
  isChecked?: boolean;
}

const CI = "create collation app.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";
const T = "create table app.t (id int, v COLUMN);";
const ROWS = "insert into app.t (id, v) values (1, 'a'), (2, 'A'), (3, 'b');";
const mend = "delete from app.t where id = 2";

const samples: Record<string, KeptSample> = {
  "a unique index": {
    sql: `${T} create unique index one on app.t (v);`,
    found: ["1 value of (v) in more than one row of app.t"],
    mend,
  },
  "a unique index on an expression": {
    sql: `${T} create unique index one on app.t ((v || 'x'));`,
    found: ["1 value of (((v || 'x'::text))) in more than one row of app.t"],
    mend,
  },
  "a unique constraint": {
    sql: "create table app.t (id int, v COLUMN unique);",
    found: ["1 value of (v) in more than one row of app.t"],
    mend,
  },
  "a primary key": {
    sql: "create table app.t (id int, v COLUMN primary key);",
    found: ["1 value of (v) in more than one row of app.t"],
    mend,
  },
  "an exclusion constraint": {
    sql: "create table app.t (id int, v COLUMN, exclude using btree (v with =));",
    found: ["2 rows of app.t in conflict with another one by (v)"],
    mend,
  },
  "a foreign key that the old collation kept": {
    sql: "create table app.r (v COLUMN primary key); create table app.t (id int, v COLUMN references app.r);",
    rows: `insert into app.r values ('a'), ('A'), ('b'); ${ROWS}`,
    found: ["1 value of (v) in more than one row of app.r"],
  },
  "a foreign key that only the old collation kept": {
    sql: "create table app.r (v COLUMN primary key); create table app.t (id int, v COLUMN references app.r);",
    from: "text collate app.ci",
    to: "text",
    rows: `insert into app.r values ('a'), ('b'); ${ROWS}`,
    found: ["1 row of app.t without a matching row in app.r"],
    isChecked: false,
  },
  "a unique constraint beside another type": {
    sql: "create table app.t (id int, v COLUMN unique);",
    to: "int",
    rows: "insert into app.t values (1, '1'), (2, '01'), (3, '2');",
    found: ["1 value of (v) in more than one row of app.t"],
    mend,
  },
  "a unique constraint beside another expression": {
    sql: "create table app.t (id int, v text, w COLUMN unique);",
    from: "text generated always as (v) stored",
    to: "text generated always as (lower(v)) stored",
    found: ["1 value of (w) in more than one row of app.t"],
    mend,
  },
  "an expression that has no value where one is demanded": {
    sql: "create table app.t (id int, v text, w COLUMN not null);",
    from: "text generated always as (v) stored",
    to: "text generated always as (nullif(v, 'A')) stored",
    found: ["1 row of app.t for which w has no value"],
    mend,
  },
};

for (const [
  name,
  { sql, from = "text", to = "text collate app.ci", rows = ROWS, found = [], mend = "", isChecked = true },
] of Object.entries(samples)) {
  test(`${name}: the rows answer what the server would say of the changed column`, async () => {
    const [before, after] = [from, to].map((column) => sql.replaceAll("COLUMN", column));
    const made = from.includes("app.ci") ? CI : "";
    const change = await changeOf({ before: `${made} ${before}`, after: `${CI} ${after}`, rows });
    expect(foundIn(await ask(change)).sort()).toEqual([...found].sort());
    if (isChecked) expect(await isRefused(change)).toBe(found.length > 0);
    if (mend === "") return;
    await change.live.query(mend);
    expect(foundIn(await ask(change))).toEqual([]);
    expect(await isRefused(change)).toBe(false);
  });
}

test("a unique index by a collation that is dropped and made is not taken for proven", async () => {
  const index = "create table app.t (id int, v text); create unique index one on app.t (v collate app.ci);";
  const change = await changeOf({ before: CI.replace("level2", "level3") + index, after: CI + index, rows: ROWS });
  expect((await ask(change)).map(({ answer }) => answer)).toMatchObject([{ kind: "unfinished", reason: "functions" }]);
});
