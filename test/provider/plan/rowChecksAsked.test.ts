import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { refusedByRows, rowWarnings } from "../../../provider/plan/rowChecks/report.ts";
import { createTestRole, type TestRole } from "../../support/database.ts";
import { ask, type Change, changeOf } from "./rowFixture.ts";

const roles: TestRole[] = [];
afterAll(async () => {
  for (const role of roles) await role.drop();
});

const T = "create table app.t (id int primary key, v int, w text);";
const NOT_NULL = "create table app.t (id int primary key, v int not null, w text);";
const SOME = "insert into app.t select g, nullif(g, 3), 'secret' || g from generate_series(1, 1500) g;";

const kinds = async (change: Change): Promise<string[]> => (await ask(change)).map(({ answer }) => answer.kind);

test("more than a thousand rows are counted no further", async () => {
  const change = await changeOf({
    before: T,
    after: "create table app.t (id int primary key, v int, w text, check (id < 0));",
    rows: SOME,
  });
  const checks = await ask(change);
  expect(checks[0]?.answer).toMatchObject({ kind: "found", count: 1000, isMore: true });
  expect(refusedByRows(checks)[0]).toContain("found more than 1,000 rows of app.t that CHECK ((id < 0)) refuses");
});

test("a question that takes too long is left, the next one has its own time, and both are said", async () => {
  const slow = "create function app.slow(int) returns bool language sql as 'select pg_sleep(0.1) is null'; ";
  const change = await changeOf({
    before: slow + T,
    after: `${slow}create table app.t (id int primary key, v int not null, w text, constraint a check (app.slow(id)));`,
    rows: `${SOME} update app.t set v = 1;`,
  });
  const checks = await ask(change, { timeoutMs: 200 });
  expect(checks.map(({ answer }) => answer)).toMatchObject([{ kind: "none" }, { kind: "unfinished", reason: "time" }]);
  expect(rowWarnings(checks)).toEqual([
    expect.stringMatching(
      /^PS217: not known whether there are rows of app.t that CHECK .* refuses: there was not enough time[\s\S]*To list them: SELECT "id" FROM "app"."t" WHERE NOT/,
    ),
  ]);
  const late = await ask(change, { timeoutMs: 200, allMs: 0 });
  expect(late.map(({ answer }) => answer)).toMatchObject(Array(2).fill({ kind: "unfinished", reason: "all" }));
});

test("a table that another session has locked is not waited for longer than for a slow question", async () => {
  const change = await changeOf({ before: T, after: NOT_NULL, rows: SOME });
  const other = await change.live.pool.connect();
  try {
    await other.query("begin; lock table app.t in access exclusive mode");
    const [check] = await ask(change, { timeoutMs: 200 });
    expect(check?.answer).toMatchObject({ kind: "unfinished" });
  } finally {
    await other.query("rollback");
    other.release();
  }
});

test("a function that a question calls can write nothing", async () => {
  const writes =
    "create table app.log (id int); create function app.writes(int) returns bool language plpgsql as 'begin insert into app.log values ($1); return true; end'; ";
  const change = await changeOf({
    before: writes + T,
    after: `${writes}create table app.t (id int primary key, v int, w text, check (app.writes(id)));`,
    rows: SOME,
  });
  expect((await ask(change)).map(({ answer }) => answer)).toEqual([{ kind: "unknown", sqlstate: "25006" }]);
  expect(await change.live.query("select 1 from app.log")).toEqual([]);
});

test("what row security would filter, and what a role may not read, is not taken for an answer", async () => {
  const role = await createTestRole();
  roles.push(role);
  const change = await changeOf({ before: T, after: NOT_NULL, rows: SOME });
  const pool = new pg.Pool({ connectionString: change.live.urlFor(role), pipeline: true });
  const name = quoteIdent(role.name);
  try {
    const [unreadable] = await ask(change, { pool });
    expect(unreadable?.answer).toEqual({ kind: "forbidden" });
    await change.live.query(`grant usage on schema app to ${name}; grant select on app.t to ${name}`);
    expect((await ask(change, { pool }))[0]?.answer).toMatchObject({ kind: "found", count: 1 });
    await change.live.query("alter table app.t enable row level security");
    const checks = await ask(change, { pool });
    expect(checks[0]?.answer).toEqual({ kind: "forbidden" });
    expect(rowWarnings(checks)[0]).toContain("this role may not read all rows of the table");
  } finally {
    await pool.end();
    await change.live.query(`drop owned by ${name}`);
  }
});

const FITS =
  "create function app.fits(int) returns bool immutable language sql as 'select $1 > 2'; create table app.t (id int primary key, v int, w text, check (app.fits(id)));";

test("a check by a function that the plan makes is asked with it, and nothing of that stays", async () => {
  const change = await changeOf({ before: T, after: FITS, rows: SOME });
  const checks = await ask(change);
  expect(checks.map(({ answer }) => answer)).toMatchObject([{ kind: "found", count: 2 }]);
  expect(refusedByRows(checks).join("\n")).toContain(
    "To list them, in a transaction that makes the functions as in the files and is rolled back: SELECT",
  );
  expect(await change.live.query("select from pg_proc where proname = 'fits'")).toEqual([]);
});

test("where its function cannot be made beforehand, a check is not asked, and the warning says so", async () => {
  const change = await changeOf({ before: T, after: FITS, rows: SOME });
  await change.live.query(`create function public.told() returns event_trigger language plpgsql as $$ begin end $$;
    create event trigger told on ddl_command_end execute function public.told();`);
  const checks = await ask({ ...change, before: await readCatalog(change.live.pool, "postgres") });
  expect(checks.map(({ answer }) => answer)).toMatchObject([{ kind: "unfinished", reason: "functions" }]);
  expect(rowWarnings(checks)[0]).toContain(
    "the functions or collations that it uses come with this plan, and could not be made beforehand",
  );
});

test("a warning tells of values that a conversion cuts or rounds", async () => {
  const change = await changeOf({
    before: "create table app.t (id int primary key, v varchar(20), n numeric(10, 4), d timestamp);",
    after:
      "create table app.t (id int primary key generated by default as identity, v varchar(5), n numeric(10, 2), d date);",
    rows: "insert into app.t values (1, 'longer than 5', 1.234, '2026-01-01'), (2, 'short', 1.2, '2026-01-01 10:00');",
  });
  const checks = await ask(change);
  expect(refusedByRows(checks)).toEqual([]);
  const warnings = rowWarnings(checks).map((warning) => warning.split(", expected")[0]);
  expect(warnings.sort()).toEqual([
    "  PS216: found 1 row of app.t whose d loses a part of its value in date",
    "  PS216: found 1 row of app.t whose n loses a part of its value in numeric(10,2)",
    "  PS216: found 1 row of app.t whose v loses a part of its value in character varying(5)",
  ]);
});

test("a warning tells of lists and bits that a conversion cuts or rounds, and not of what fits", async () => {
  const change = await changeOf({
    before:
      "create table app.t (id int, a numeric(10,2)[], b text[], c bit(8), d varbit(8), e timestamp(3)[], f text, g text[]);",
    after:
      "create table app.t (id int, a numeric(10,1)[], b varchar(2)[], c bit(4), d varbit(4), e timestamp(0)[], f name, g varchar(9)[]);",
    rows: `insert into app.t values
      (1, '{1.25}', '{abc}', b'10101010', b'101010', '{2026-01-01 10:00:00.789}', repeat('x', 100), '{fits}'),
      (2, '{1.20}', '{ab}', b'10100000', b'1010', '{2026-01-01 10:00:00}', 'x', null);`,
  });
  const found = rowWarnings(await ask(change)).flatMap(
    (warning) => /found (\d+) rows? of app.t whose (\w) loses/.exec(warning)?.slice(1).join(" ") ?? [],
  );
  expect(found.sort()).toEqual(["1 a", "1 b", "1 c", "1 d", "1 e", "1 f"]);
});

test("that a value cannot be converted is said once, and not as a loss", async () => {
  const change = await changeOf({
    before: "create table app.t (id int primary key, n numeric);",
    after: "create table app.t (id int primary key, n int);",
    rows: "insert into app.t values (1, 1000000000000);",
  });
  const checks = await ask(change);
  expect(refusedByRows(checks)[0]).toContain("found 1 row of app.t whose n cannot be converted to integer");
  expect(rowWarnings(checks)).toEqual([]);
});

test("a conversion that the server does not know stops the plan before its rows are asked", async () => {
  const change = await changeOf({
    before: "create table app.t (id int primary key, n int);",
    after: "create table app.t (id int primary key, n timestamptz);",
    rows: "insert into app.t values (1, 1);",
  });
  await expect(ask(change)).rejects.toThrow("for which the server has no cast");
});

const FOREIGN =
  "create extension postgres_fdw; create server s foreign data wrapper postgres_fdw; create table app.t (ROWS) partition by range (id); create table app.rest partition of app.t default; create foreign table app.f partition of app.t for values from (-9) to (-1) server s;";
const UNASKED: Record<string, { before: string; after: string }> = {
  "NOT VALID": { before: T, after: `${T} alter table app.t add constraint c check (v < 5) not valid;` },
  "a new column with a default": {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, n int not null default 3);",
  },
  "a new column filled in by a function, and a key of it": {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, n uuid not null unique default gen_random_uuid());",
  },
  "NOT NULL that a check proves": {
    before: "create table app.t (id int primary key, v int, w text, check (w is not null));",
    after: "create table app.t (id int primary key, v int, w text not null, check (w is not null));",
  },
  "a key that another key proves": {
    before: "create table app.t (id int primary key, v int, w text);",
    after: "create table app.t (id int primary key, v int, w text, unique (v, id)); create unique index on app.t (id);",
  },
  "a check that goes by another name": {
    before: "create table app.t (id int primary key, v int, w text, constraint a check (id > 0));",
    after: "create table app.t (id int primary key, v int, w text, constraint b check (id > 0));",
  },
  "a foreign key with another action": {
    before:
      "create table app.p (id int primary key); create table app.t (id int primary key references app.p, v int, w text);",
    after:
      "create table app.p (id int primary key); create table app.t (id int primary key references app.p on delete cascade, v int, w text);",
  },
  "a table with a foreign partition": {
    before: FOREIGN.replace("ROWS", "id int, v int, w text"),
    after: FOREIGN.replace("ROWS", "id int, v int not null, w text"),
  },
  "a wider type": { before: T, after: "create table app.t (id bigint primary key, v int, w text);" },
};

for (const [name, { before, after }] of Object.entries(UNASKED)) {
  test(`nothing is asked for ${name}`, async () => {
    const isReferring = before.includes("app.p");
    const rows = `${isReferring ? "insert into app.p select generate_series(1, 1500);" : ""} ${SOME}`;
    expect(await kinds(await changeOf({ before, after, rows }))).toEqual([]);
  });
}

test("a table without rows is not asked", async () => {
  expect(await kinds(await changeOf({ before: T, after: NOT_NULL, rows: "" }))).toEqual([]);
});

test("no message holds a value of a row", async () => {
  const change = await changeOf({
    before: T,
    after: "create table app.t (id int primary key, v int not null, w int, unique (v), check (v > 3));",
    rows: SOME,
  });
  const checks = await ask(change);
  const said = JSON.stringify([refusedByRows(checks), rowWarnings(checks), checks]);
  expect(said).toContain("PS310");
  expect(said).not.toContain("secret");
});
