import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PIN_SESSION } from "../../provider/database/sessionSettings.ts";
import { CATALOG } from "../../provider/lint/rule.ts";
import { sqlIn, unqualifiedNames, unqualifiedOperators } from "../support/sqlNames.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const sources = ["provider", "tools", "components"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => {
      const path = join(folder, name);
      return { path, text: readFileSync(join(ROOT, path), "utf8") };
    }),
);

/** What all lints have in common stands before each of them as CTEs. */
const lintTables = new Set([...CATALOG.matchAll(/^(?:\), )?(\w+) AS \(/gm)].map(([, name]) => name));

test("our own SQL says the schema of each function, type and relation", () => {
  expect(lintTables).toContain("own_table");
  // MySQL has functions in no schema.
  const ours = sources.filter(({ path }) => path !== join("provider", "services", "mysql.ts"));
  const found = ours.flatMap(({ path, text }) =>
    sqlIn(path, text)
      .flatMap(unqualifiedNames)
      .filter((name) => !(path.startsWith(join("provider", "lint")) && lintTables.has(name)))
      .map((name) => `${path}: ${name}`),
  );
  expect(found).toEqual([]);
});

test("what is asked before or beside our own path says the schema of each operator as well", () => {
  const asked = (path: string, constant: string): string => {
    const { text = "" } = sources.find((source) => source.path === join("provider", path)) ?? {};
    return new RegExp(`const ${constant} = \`([^\`]*)\``).exec(text)?.[1] ?? "";
  };
  for (const sql of [
    PIN_SESSION,
    asked("shadow/loadSql.ts", "SIDE_EFFECTS"),
    asked("catalog/definitions.ts", "DROP_RULES"),
  ]) {
    expect(sql).toMatch(/pg_catalog/);
    expect(unqualifiedOperators(sql)).toEqual([]);
  }
});

test("each connection is opened where it gets our path", () => {
  const openers = sources.filter(({ text }) => /\bnew (?:\w+\.)?(?:Client|Pool)\(/.test(text)).map(({ path }) => path);
  // A probe connects as an application does, to a service that is none of our databases.
  const ours = openers.filter((path) => path !== join("provider", "services", "postgresql.ts"));
  expect(ours).toEqual([join("provider", "database", "pool.ts")]);
});

test.each([
  ["select lower(name) from pg_catalog.pg_class", ["lower()"]],
  ["SELECT count(*) FROM pg_class", ["count()", "pg_class"]],
  ["select x::text, y::int, z::pg_catalog.oid", ["::text"]],
  ["select coalesce(host(a), pg_catalog.lower(upper(b)))", ["host()", "upper()"]],
  ["select pg_catalog.format('a(b) from c') from unnest(array(select 1)) as t (x)", ["unnest()"]],
  ["select from unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) as t (a, b) where a in ('x')", []],
  ["with c as (select 1) select extract(epoch from t.x), coalesce(a, b) from c", []],
  ["lock table only t in share mode", ["t"]],
  ["select a is distinct from b for update skip locked", []],
])("the check of names sees what is looked up in the path: %s", (sql, names) => {
  expect(unqualifiedNames(sql)).toEqual(names);
});

test("the check of operators sees those that are looked up in the path", () => {
  expect(
    unqualifiedOperators("select a = b, c operator(pg_catalog.=) d, e in (1), count(*), f is distinct from g, h::text"),
  ).toEqual(["=", "in (", "distinct from"]);
});

test("SQL is told from the sentences around it", () => {
  const text = 'a("Drop it (now). Then go."); b(`select $[c] from d`); e("update"); f(`$[g]::text`); h("x: y");';
  expect(sqlIn("x.ts", text.replaceAll("[", "{").replaceAll("]", "}"))).toEqual([
    "select § from d",
    "update",
    "§::text",
  ]);
});
