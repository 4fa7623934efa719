import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openDatabase } from "../../../provider/database/target.ts";
import { type LintReport, lintCatalog, lintDatabase } from "../../../provider/lint/lintCatalog.ts";
import { EXEMPTION_LINTS, LINTS } from "../../../provider/lint/lints.ts";
import { ask, createTestDatabase, createTestRole, type TestDatabase } from "../../support/database.ts";
import { FIXTURES } from "./fixtures.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const foundIn = (code: string): string => `${code.toLowerCase()}_found`;
const leftIn = (code: string): string => `${code.toLowerCase()}_left`;

let database: TestDatabase;
let client: pg.PoolClient;
let report: LintReport;

/** Statements one by one, names without a schema being of the given one. */
async function run(schema: string, statements: readonly string[]): Promise<void> {
  await client.query(`create schema ${schema}; set search_path = ${schema}, public`);
  for (const sql of statements) await client.query(sql.replaceAll("%", schema));
}

/** What lints find in a transaction that is undone, after SQL in a schema `app`. */
async function linted(sql: string, schemas: readonly string[] = ["app"]): Promise<LintReport> {
  await client.query("begin; create schema app; set local search_path = app");
  try {
    await client.query(sql);
    const all = await lintCatalog(client, schemas);
    // An extension is asked about wherever it is.
    return { ...all, findings: all.findings.filter(({ code }) => code !== "PGL502") };
  } finally {
    await client.query("rollback");
  }
}

beforeAll(async () => {
  database = await createTestDatabase();
  client = await database.pool.connect();
  await client.query('create role "Lint reader"');
  for (const [code, { found, left }] of Object.entries(FIXTURES)) {
    await run(foundIn(code), found);
    await run(leftIn(code), left);
  }
  const target = openDatabase({ url: database.url });
  if (target === undefined) throw new Error("no URL");
  report = await lintDatabase(target, []);
  await target.close();
});
afterAll(async () => {
  client.release();
  await database.drop();
  await ask(inject("serverUrl"), 'drop role "Lint reader"');
});

/** The objects that a lint finds in a schema, or in the extensions of its fixture. */
const objects = (code: string, schema: string): string[] =>
  report.findings
    .filter((each) => each.code === code)
    .map(({ object }) => object)
    .filter((object) => new RegExp(`(^| )${schema}(\\.|$)`).test(object) || !/pgl\d+_/.test(object))
    .sort();

describe("each lint", () => {
  test("has a fixture, and no fixture is without its lint", () => {
    expect(Object.keys(FIXTURES)).toEqual(LINTS.map(({ code }) => code));
  });

  test.each(LINTS)("$code $name finds its fixture and leaves alone what is like it", ({ code, level }) => {
    const fixture = FIXTURES[code];
    expect(objects(code, foundIn(code))).toEqual(fixture?.objects.map((name) => name.replace("%", foundIn(code))));
    const own = report.findings.filter(({ object }) => object.includes(leftIn(code)));
    expect(own.filter((each) => each.code === code)).toEqual([]);
    for (const each of report.findings.filter((finding) => finding.code === code))
      expect(each).toMatchObject({ level, found: expect.stringMatching(/./), mend: expect.stringMatching(/;|--/) });
  });

  test("stands in docs/lints.md under its code and name, with its level", () => {
    const page = readFileSync(join(ROOT, "docs", "lints.md"), "utf8");
    const sections = [...page.matchAll(/^### (PGL\d+) (\S+)\n\n(\w+)\. /gm)].map(([, ...parts]) => parts.join(" "));
    const all = [...LINTS, ...Object.values(EXEMPTION_LINTS)];
    expect(sections).toEqual(all.map(({ code, name, level }) => `${code} ${name} ${level}`));
  });
});

test("a role that owns nothing finds the same, but for what statistics and sequences tell", async () => {
  const role = await createTestRole();
  const target = openDatabase({ url: database.urlFor(role) });
  if (target === undefined) throw new Error("no URL");
  const seen = await lintDatabase(target, []);
  await target.close();
  const NEEDS_PRIVILEGES = new Set(["PGL501", "PGL505"]);
  const names = ({ findings }: LintReport): string[] =>
    findings.filter(({ code }) => !NEEDS_PRIVILEGES.has(code)).map(({ code, object }) => `${code} ${object}`);
  expect(names(seen)).toEqual(names(report));
  await role.drop();
});

describe("an exemption", () => {
  const TABLE = "create table t (id int, at timestamp);";
  const codes = ({ findings }: LintReport): string[] => findings.map(({ code, object }) => `${code} ${object}`);

  test("in the comment of an object, of its table, or of its schema takes a finding off, with its reason", async () => {
    expect(codes(await linted(TABLE))).toEqual(["PGL304 app.t", "PGL401 app.t.at"]);
    for (const on of ["column t.at", "table t", "schema app"]) {
      const found = await linted(`${TABLE} comment on ${on} is E'As it was.\\nlint-ignore PGL401: of another system'`);
      expect(codes(found), on).toEqual(["PGL304 app.t"]);
      expect(found.exempted).toEqual([{ code: "PGL401", object: "app.t.at", reason: "of another system" }]);
    }
  });

  test("may name several lints, by code or by name", async () => {
    const sql = `${TABLE} comment on table t is 'lint-ignore no-primary-key, PGL401: of another system'`;
    expect((await linted(sql)).findings).toEqual([]);
  });

  test("of a column or another table takes nothing off, and is reported itself", async () => {
    const sql = `${TABLE} create table u (id int primary key); comment on table u is E'A table.\\nlint-ignore PGL401: old\\nOf users.'; comment on column t.id is 'lint-ignore PGL401: old'`;
    const { findings } = await linted(sql);
    expect(codes({ findings, exempted: [], lints: 0 })).toEqual([
      "PGL304 app.t",
      "PGL401 app.t.at",
      "PGL901 app.t.id",
      "PGL901 app.u",
    ]);
    expect(findings.filter(({ code }) => code === "PGL901").map(({ mend }) => mend)).toEqual([
      "COMMENT ON COLUMN app.t.id IS NULL;",
      "COMMENT ON TABLE app.u IS 'A table.\nOf users.';",
    ]);
  });

  test("without a reason, or of a lint that is not there, is reported and takes nothing off", async () => {
    const sql = `${TABLE} comment on table t is E'lint-ignore PGL401\\nlint-ignore PGL304:  \\nlint-ignore PGL999: old'`;
    const { findings } = await linted(sql);
    expect(findings.map(({ code, found }) => `${code} ${found}`)).toEqual([
      "PGL304 no primary key",
      "PGL401 timestamp without time zone",
      'PGL902 "lint-ignore PGL401" has no lint or no reason',
      'PGL902 "lint-ignore PGL304:" has no lint or no reason',
      "PGL902 there is no lint PGL999",
    ]);
  });

  test("on each kind of object is covered by a comment that the server takes", async () => {
    const sql = `create table t (id int primary key, up int constraint f references t, owner text); alter table t enable row level security;
      create policy p on t using (true); create index i on t (owner); create index j on t (owner); create domain d as text check (value <> '');
      create function g(a int) returns int language plpgsql as 'begin return a; end';
      comment on constraint f on t is 'lint-ignore PGL301: x'; comment on policy p on t is 'lint-ignore PGL107: x'; comment on index j is 'lint-ignore PGL302: x';
      comment on domain d is 'lint-ignore PGL406: x'; comment on function g(int) is 'lint-ignore PGL202: x'`;
    expect((await linted(sql)).findings).toEqual([]);
  });
});

test("schemas that are not asked about are left alone, with their exemptions", async () => {
  const sql = "create table t (id int); comment on table t is 'lint-ignore PGL401: old'";
  expect((await linted(sql, [leftIn("PGL506")])).findings).toEqual([]);
});

describe("npm run lint:db", () => {
  const command = (...args: string[]) =>
    execa(process.execPath, [join(ROOT, "tools", "commands", "lintDb.ts"), ...args], {
      reject: false,
      env: { DATABASE_URL: database.url },
    });

  test("prints the findings with the SQL that mends them, and its exit code says whether there are any", async () => {
    const { stdout, exitCode } = await command("--schema", foundIn("PGL402"));
    expect(exitCode).toBe(1);
    expect(stdout).toContain("WARNING PGL402 char-column (docs/lints.md#pgl402-char-column)");
    expect(stdout).toContain("      ALTER TABLE pgl402_found.t ALTER COLUMN value TYPE text;");
    const { stdout: json, exitCode: clean } = await command(
      "--schema",
      foundIn("PGL402"),
      "--level",
      "ERROR",
      "--json",
    );
    expect(clean).toBe(0);
    expect(JSON.parse(json)).toMatchObject({ level: "ERROR", databases: [{ exempted: [], lints: LINTS.length }] });
  });

  test("says what is wrong with what it is given", async () => {
    expect((await command("--schema", "nowhere")).stderr).toContain("has no schema nowhere");
    expect((await command("--level", "warn")).stderr).toContain(
      "Found --level warn, expected one of ERROR, WARNING, INFO",
    );
  });
});

/** Lints whose SQL is not run, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  PGL103: "only a person knows the condition",
  PGL104: "only a person knows the joined condition",
  PGL106: "only a person knows the function",
  PGL107: "only a person knows the condition",
  PGL108: "only a person knows the condition",
  PGL109: "only a person knows the condition",
  PGL304: "only a person knows the key",
  PGL407: "only a person knows the name",
  PGL502: "the version of the fixture is made up, and nothing leads from it to another one",
};

/** Gives each table of the fixtures a row: what has no default gets a value of its type by a number. */
async function fillTables(n: number): Promise<void> {
  const { rows } = await client.query<{ insert: string }>(
    `select format('insert into %s %s', c.oid::regclass, coalesce(
        '(' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ') values (' || string_agg(format('%L', case t.typcategory
          when 'N' then '@' when 'S' then '@' when 'B' then 'true' when 'D' then '2026-01-0@ 10:00+00' when 'A' then '{}' else '@' end), ', ' order by a.attnum) || ')',
        'default values')) as insert
     from pg_class c join pg_namespace s on s.oid = c.relnamespace
     left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and not a.atthasdef and a.attidentity = ''
     left join pg_type t on t.oid = a.atttypid
     where s.nspname like 'pgl%found' and c.relkind in ('r', 'p') and not c.relispartition group by c.oid order by c.oid`,
  );
  for (const { insert } of rows) await client.query(insert.replaceAll("@", String(n)));
}

test("the SQL that mends a finding runs on tables with rows, takes the finding off, and rows go in as before", async () => {
  await client.query("set search_path = pg_catalog, pg_temp; set TimeZone = 'Asia/Tokyo'");
  for (const n of [1, 2]) await fillTables(n);
  const tables = `select c.oid, (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s', c.oid::regclass), true, false, '')))[1]::text as rows
    from pg_class c join pg_namespace s on s.oid = c.relnamespace where s.nspname like 'pgl%found' and c.relkind = 'r' order by c.oid`;
  const before = (await client.query(tables)).rows;
  const run = report.findings.filter(
    ({ code, object }) => !(code in NOT_RUN) && objects(code, foundIn(code)).includes(object),
  );
  expect([...new Set(run.map(({ code }) => code))].sort()).toEqual(
    LINTS.map(({ code }) => code).filter((code) => !(code in NOT_RUN)),
  );
  for (const { code, object, mend } of run)
    await client.query(mend).catch((cause: unknown) => {
      throw new Error(`${code} ${object}: ${mend}`, { cause });
    });
  const target = openDatabase({ url: database.url });
  const after = target && (await lintDatabase(target, []));
  await target?.close();
  const left = after?.findings.filter(({ code, object }) =>
    run.some((each) => each.code === code && each.object === object),
  );
  expect(left?.map(({ code, object }) => `${code} ${object}`)).toEqual([]);
  expect((await client.query(tables)).rows).toEqual(before);
  await fillTables(3);
  // As they were in UTC, whatever the time zone of the session.
  const { rows } = await client.query(
    `select count(distinct at) from ${foundIn("PGL401")}."Odd T" as t (id, at) where at = '2026-01-01 10:00Z'`,
  );
  expect(rows).toEqual([{ count: "1" }]);
});
