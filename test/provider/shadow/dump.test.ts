import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { withoutPsql } from "../../../provider/shadow/psqlCommands.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { checked, inRun, pending, project, up } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

/** As `pg_dump --schema-only` writes it, of objects of many kinds. */
const DUMP = readFileSync(join(import.meta.dirname, "dump.sql"), "utf8");

const hashOf = async ({ pool, url }: TestDatabase): Promise<string> =>
  (await readCatalog(pool, new URL(url).username)).facts.rootHash;

test("a dump without rows is taken as it is, and means what it means to psql", async () => {
  const [layered, restored] = [await freshDatabase(), await freshDatabase()];
  await restored.query(withoutPsql({ path: "", sql: DUMP }).sql);
  const state = await up(layered.url, project.layer("dump", DUMP));
  expect(await pending(layered.url, state)).toEqual([]);
  expect(await hashOf(layered)).toBe(await hashOf(restored));
});

test("a dump as files in any order means the same", async () => {
  const [layered, restored] = [await freshDatabase(), await freshDatabase()];
  await restored.query(withoutPsql({ path: "", sql: DUMP }).sql);
  const settings = DUMP.slice(DUMP.indexOf("SET statement_timeout"), DUMP.indexOf("--\n-- Name: shop;"));
  const parts = DUMP.slice(DUMP.indexOf("--\n-- Name: shop;")).split(/^(?=--\n-- Name:)/m);
  // Which tables have default privileges depends on the order in any database.
  const [defaults = "", ...others] = parts.reverse();
  expect(defaults).toContain("ALTER DEFAULT PRIVILEGES");
  for (const [n, part] of [...others, defaults].entries())
    project.write(`parts/${String(n).padStart(3, "0")}.sql`, settings + part.replace("\\unrestrict 0k2LzT9cX", ""));
  const state = await up(layered.url, { ...project.layer("parts", ""), files: ["parts"] });
  expect(await pending(layered.url, state)).toEqual([]);
  expect(await hashOf(layered)).toBe(await hashOf(restored));
});

test.each([
  ["COPY shop.owners (id) FROM stdin;\n1\tit's\n\\.\n", "found COPY"],
  ["INSERT INTO shop.owners (mail) VALUES ('a@b');\n", "found rows of shop.owners, the value of the sequence"],
  ["SELECT pg_catalog.setval('shop.items_id_seq', 5, true);\n", "found the value of the sequence shop.items_id_seq"],
])("rows in a dump are refused at their place, with what to use instead: %j", async (rows, found) => {
  const { url } = await freshDatabase();
  const [before, after] = DUMP.split(/(?=--\n-- Name: items_name; Type: INDEX)/);
  const line = `${before}`.split("\n").length;
  const refusal = inRun(url, (run) => checked(run, project.layer("rows", before + rows + after)));
  await expect(refusal).rejects.toThrow(`rows.sql:${line}:1: ${found}`);
  await expect(refusal).rejects.toThrow(/as `Rows`.*pg_dump --schema-only/);
});

test("a file of Windows, with a mark of its byte order, is read as any other", async () => {
  const { url } = await freshDatabase();
  const layer = project.layer(
    "windows",
    "\ufeffcreate view v as\r\n  select * from t;\r\n\r\ncreate table t (id int);\r\n",
  );
  expect(await pending(url, await up(url, layer))).toEqual([]);
  const odd = project.layer("windows", "\ufeff-- é\r\n  select * from nowhere;\r\n");
  await expect(inRun(url, (run) => checked(run, odd))).rejects.toThrow(
    'windows.sql:2:17: relation "nowhere" does not exist\n      select * from nowhere;\n                    ^\n',
  );
});
