import { expect, test } from "vitest";
import { UserError } from "../../../../provider/core/errors.ts";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { inRun, project, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

/** What Check says of a layer: code and input of each fault. */
async function faultsOf(properties: Properties): Promise<string[]> {
  const { url } = await freshDatabase();
  const { failures } = await inRun(url, ({ layer, context }) => layer.check(context(true), {}, properties));
  return failures.map(({ code, property }) => `${code} ${property}`);
}

async function codesOf(update: Promise<unknown>): Promise<string[]> {
  const error = await update.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof UserError ? [error.code, ...error.others] : [String(error)];
}

test.each([
  ["a mistake of syntax", "create tabel t ();", "PS103 files"],
  ["a name that no layer declares", "create view v as select * from nowhere.t;", "PS104 files"],
  ["a role that is not there", "create schema s; grant usage on schema s to nobody_at_all;", "PS105 files"],
  ["a statement that ends the transaction", "create schema s; commit;", "PS106 files"],
  ["a statement that changes the server", "create role codes_role;", "PS106 files"],
  ["what no layer can hold", "create schema s; create table s.t (a int); insert into s.t values (1);", "PS107 files"],
  [
    "a comment about a rename that is misspelt",
    "create schema s; -- renamed form: t\ncreate table s.u ();",
    "PS109 files",
  ],
])("%s has its code", async (_what, sql, expected) => {
  expect(await faultsOf(project.layer("coded", sql))).toEqual([expected]);
});

test("a plan that stops has the codes of its hazards, each once", async () => {
  const { url, query } = await freshDatabase();
  const before = "create table public.t (id int, a text, b text); create table public.u (id int);";
  const state = await up(url, project.layer("stopping", before));
  await query("insert into public.t values (1); insert into public.u values (1)");
  await query("analyze");
  const after = up(url, project.layer("stopping", "create table public.t (id int);"), state);
  expect((await codesOf(after)).sort()).toEqual(["PS201", "PS202"]);
});

test("rows that do not fit what a layer demands have a code of their own", async () => {
  const { url, query } = await freshDatabase();
  const before = "create table public.t (id int);";
  const state = await up(url, project.layer("demands", before));
  await query("insert into public.t values (-1)");
  const after = up(url, project.layer("demands", "create table public.t (id int check (id > 0));"), state);
  expect(await codesOf(after)).toEqual(["PS310"]);
});
