import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { pullRows } from "../../../provider/resources/pullRows.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const fresh = freshDatabases();

async function pull(sql: string, table: string, excluded: string[] = []) {
  const { url, query } = await fresh();
  await query(sql);
  const folder = await mkdtemp(join(tmpdir(), "pgstrata-rows-"));
  const file = join(folder, "rows.csv");
  try {
    const write = async (text: string) => writeFileSync(file, text, { flag: "a" });
    const pulled = await pullRows({ url, shadow: inject("serverUrl") }, table, excluded, write, file);
    return { ...pulled, text: readFileSync(file, "utf8") };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("rows of any values are pulled by their key, and adopted as they are", async () => {
  const { text, key, rows, changes } = await pull(
    `create schema "Odd"; create table "Odd"."T t" (
       "K" int, k2 text, "a ""b" text, n numeric, d double precision, at timestamptz, b bytea, j jsonb, r int4range, l text[], f bool,
       twice int generated always as ("K" * 2) stored, primary key (k2, "K"));
     insert into "Odd"."T t" values
       (2, 'b', null, 1.10, 0.1, '2026-01-01 12:00+02', '\\x00ff', '{"a": [1, "x,y"]}', '[1,5)', '{a,"b c",null}', true),
       (1, 'a', '', null, 'NaN', 'infinity', '', 'null', 'empty', '{}', false),
       (3, 'a', E'x"y\\n z, ', 1e20, -0.0, null, null, null, null, null, null);`,
    '"Odd"."T t"',
  );
  expect(text.split("\n")[0]).toBe('K,k2,"a ""b",n,d,at,b,j,r,l,f');
  expect(text.split("\n")[1]).toMatch(/^1,a,"",,NaN,infinity,/);
  expect({ key, rows, changes }).toEqual({ key: ["k2", "K"], rows: 3, changes: [] });
});

test("a column that is left out is not in the file", async () => {
  const { text, changes } = await pull(
    "create table t (id int primary key, secret text); insert into t values (1, 'hidden'), (2, 'too')",
    "public.t",
    ["secret"],
  );
  expect(text).toBe("id\n1\n2\n");
  expect(changes).toEqual([]);
});

test("thousands of rows are read part by part", async () => {
  const { rows, changes } = await pull(
    "create table t (id int primary key, v text); insert into t select n, n from generate_series(1, 3500) n",
    "public.t",
  );
  expect({ rows, changes }).toEqual({ rows: 3500, changes: [] });
});

test.each([
  ["a table without a primary key", "create table t (id int)", "public.t", /no primary key and no unique constraint/],
  ["a table that is not there", "select 1", "public.t", /There is no table public\.t/],
  ["a name without a schema", "create table t (id int primary key)", "t", /Found the table "t"/],
])("%s is refused with words", async (_, sql, table, message) => {
  await expect(pull(sql, table)).rejects.toThrow(message);
});

test("a table with a unique constraint alone is pulled by that", async () => {
  const { key, changes } = await pull(
    "create table t (a int unique, b int not null, c text not null, v int, unique (c, b)); insert into t values (null, 1, 'x', 5), (2, 2, 'x', null)",
    "public.t",
  );
  expect({ key, changes }).toEqual({ key: ["c", "b"], changes: [] });
});
