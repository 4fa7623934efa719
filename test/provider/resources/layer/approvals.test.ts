import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { checked, inRun, project, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();
const app = (columns: string, ...allow: string[]) =>
  project.layer("app", `create schema app; create table app.t (id int${columns});`, { allow });
const APPROVAL = "drop-column:app.t.a";

test("an approval of what is not there is silent, on a new stack and on one that never had it", async () => {
  const database = await freshDatabase();
  const created = await up(database.url, app("", APPROVAL));
  expect(created.outputs.spentApprovals).toEqual([]);
  const warnings = await inRun(database.url, async (run) => {
    const layer = app(", b int", APPROVAL, "drop-table:app.long_gone");
    await run.layer.update(run.context(true), created, await checked(run, layer, created.inputs));
    return run.said.warnings;
  });
  expect(warnings).toEqual([]);
});

test("an approval counts once in a stack, and a note makes a new one of it", async () => {
  const database = await freshDatabase();
  const fill = () => database.query("insert into app.t (id) values (1)");
  let state = await up(database.url, app(", a int"));
  await fill();
  state = await up(database.url, app("", APPROVAL), state);
  expect(state.outputs.spentApprovals).toEqual([APPROVAL]);
  state = await up(database.url, app(", a int", APPROVAL), state);
  await expect(up(database.url, app("", APPROVAL), state)).rejects.toThrow(
    /Found `drop-column:app.t.a`, which an earlier update has used.*add to the layer's `allow`:\s+drop-column:app.t.a \(2\)$/ms,
  );
  expect(await database.query("select a from app.t")).toEqual([{ a: null }]);
  const noted = `${APPROVAL} (2026-11: replaced)`;
  state = await up(database.url, app("", APPROVAL, noted), state);
  expect(state.outputs.spentApprovals).toEqual([APPROVAL, noted]);
  expect(await database.query("select * from app.t")).toEqual([{ id: 1 }]);
});

test("an approval that is taken out of the list and put back is still spent", async () => {
  const database = await freshDatabase();
  let state = await up(database.url, app(", a int"));
  await database.query("insert into app.t (id) values (1)");
  state = await up(database.url, app("", APPROVAL), state);
  state = await up(database.url, app(", a int"), state);
  await expect(up(database.url, app("", APPROVAL), state)).rejects.toThrow("an earlier update has used");
});

test("an approval that waits for its time is not spent by an update that does not use it", async () => {
  const database = await freshDatabase();
  let state = await up(database.url, app(", a int", APPROVAL));
  await database.query("insert into app.t (id) values (1)");
  state = await up(database.url, app(", a int, b int", APPROVAL), state);
  expect(state.outputs.spentApprovals).toEqual([]);
  await up(database.url, app(", b int", APPROVAL), state);
});

test("a state that does not tell which approvals were used had used them all", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, app(", a int", APPROVAL));
  await database.query("insert into app.t (id) values (1)");
  const { spentApprovals, ...outputs } = state.outputs;
  expect(spentApprovals).toEqual([]);
  await expect(up(database.url, app("", APPROVAL), { ...state, outputs })).rejects.toThrow(
    "an earlier update has used",
  );
});

test("a name with brackets is none with a note", async () => {
  const database = await freshDatabase();
  const table = (columns: string, ...allow: string[]) => app(`, ${columns}`, ...allow);
  const state = await up(database.url, table('a int, "a (old)" int'));
  await database.query("insert into app.t (id) values (1)");
  await expect(up(database.url, table("b int", "drop-column:app.t.a (old)"), state)).rejects.toThrow(
    'drop-column:app.t."a (old)"',
  );
});
