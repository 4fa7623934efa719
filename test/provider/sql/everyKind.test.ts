import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { pending, preview, project, sqlOf, up } from "../../support/layerHarness.ts";
import { findPgDump, schemaDump } from "../../support/pgDump.ts";

const freshDatabase = freshDatabases();
const pgDump = await findPgDump();

const SQL = readFileSync(join(import.meta.dirname, "..", "..", "support", "everyKind.sql"), "utf8");

test("one of each kind of object is created, nothing is left to do, and nothing where its SQL made it", async () => {
  const [made, reference] = [await freshDatabase(), await freshDatabase()];
  const layer = project.layer("every", SQL);
  const state = await up(made.url, layer);
  expect(await pending(made.url, state)).toEqual([]);
  await reference.query(SQL);
  expect(sqlOf((await preview(reference.url, [layer]))[0])).toEqual([]);
});

test.skipIf(pgDump === undefined)("a database with one of each kind dumps as one made by its SQL", async () => {
  const [made, reference] = [await freshDatabase(), await freshDatabase()];
  await up(made.url, project.layer("every", SQL));
  await reference.query(SQL);
  expect(await schemaDump(pgDump ?? "", made.url)).toEqual(await schemaDump(pgDump ?? "", reference.url));
});
