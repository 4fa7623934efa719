import { expect, test, vi } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { inRun, preview, project, sqlOf, up } from "../../support/layerHarness.ts";

// A planner that knows of nothing that has to go first, until it is told.
vi.mock("../../../provider/plan/dependents.ts", async (original) => {
  const module = await original<typeof import("../../../provider/plan/dependents.ts")>();
  const blind: typeof module.withoutDependents = (live, desired, recreated = []) =>
    recreated.length === 0 ? undefined : module.withoutDependents(live, desired, recreated);
  return { ...module, withoutDependents: blind };
});

const freshDatabase = freshDatabases();

const shop = (type: string, more = ""): string => `
  create schema shop;
  create table shop.item (id int primary key, code ${type} not null${more});
  create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touched before update of code on shop.item for each row execute function shop.touch();
  comment on trigger touched on shop.item is 'of the code';`;

test("what the rehearsal refuses is planned with what stands on the changed object dropped first and made again", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", shop("varchar(20)")));
  await database.query("insert into shop.item values (1, 'a')");
  const wider = project.layer("shop", shop("text"));
  const [planned] = await preview(database.url, [wider], [state]);
  expect(sqlOf(planned).map((sql) => sql.split(" ").slice(0, 2).join(" "))).toEqual([
    "DROP TRIGGER",
    "ALTER TABLE",
    "ALTER TABLE",
    "CREATE TRIGGER",
    "COMMENT ON",
  ]);
  const after = await up(database.url, wider, state);
  expect(await preview(database.url, [wider], [after])).toEqual([[]]);
  expect(await database.query("select id, code from shop.item")).toEqual([{ id: 1, code: "a" }]);
});

test("a plan is refused as it is where what stands on the changed object holds values", async () => {
  const more = ", low text generated always as (lower(code)) stored";
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", shop("varchar(20)", more)));
  await inRun(database.url, async (run) => {
    const { inputs } = await run.layer.check(
      run.context(true),
      state.inputs,
      project.layer("shop", shop("text", more)),
    );
    await expect(run.layer.update(run.context(true), state, inputs)).rejects.toMatchObject({
      code: "PS902",
      message: expect.stringContaining("cannot alter type of a column used "),
    });
  });
});
