import { expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { inRun, pending, preview, project, up } from "../../support/layerHarness.ts";

const fresh = freshDatabases();
const sequence = (limits: string) => project.layer("app", `create schema app; create sequence app.sq ${limits};`);

test("a sequence whose value lies outside of its new limits stops the preview", async () => {
  const database = await fresh();
  const state = await up(database.url, sequence("maxvalue 1000"));
  await database.query("select setval('app.sq', 100)");
  const refused = /PS310|found 1 row of sequence app\.sq with a last value outside of its new limits, 1 to 50/;
  await expect(preview(database.url, [sequence("maxvalue 50")], [state])).rejects.toThrow(refused);
  await expect(preview(database.url, [sequence("minvalue 101 start 101 maxvalue 1000")], [state])).rejects.toThrow(
    /outside of its new limits, 101 to 1000/,
  );
  const wider = await up(database.url, sequence("maxvalue 100"), state);
  expect(await pending(database.url, wider)).toEqual([]);
});

test("limits that hold the value, and not the start, are changed", async () => {
  const database = await fresh();
  const state = await up(database.url, sequence("minvalue 1"));
  await database.query("select setval('app.sq', 500)");
  const later = sequence("minvalue 100 start 100");
  await preview(database.url, [later], [state]);
  const done = await up(database.url, later, state);
  expect(await pending(database.url, done)).toEqual([]);
  expect(await database.query("select nextval('app.sq') as n")).toEqual([{ n: "501" }]);
});

test("a check that names a label of the same plan is no row that it refuses", async () => {
  const database = await fresh();
  const table = (labels: string, check = "") =>
    project.layer(
      "app",
      `create schema app; create type app.s as enum (${labels}); create table app.t (id int primary key, s app.s${check});`,
    );
  const state = await up(database.url, table("'a', 'b'"));
  await database.query("insert into app.t values (1, 'a')");
  const more = table("'a', 'b', 'z'", ", constraint c check (s <> 'z')");
  await inRun(database.url, async ({ layer, context, said }) => {
    const { inputs } = await layer.check(context(true), state.inputs, more);
    await layer.diff(context(true), state, inputs);
    await layer.update(context(true), state, inputs);
    expect(said.warnings.join("\n")).toContain("PS217");
  });
  const done = await up(database.url, more, state);
  expect(await pending(database.url, done)).toEqual([]);
});
