import { expect, test } from "vitest";
import { UNKNOWN } from "../../../../provider/core/resourceType.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { checked, inRun, preview, project, sqlOf, up, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const BELOW = "create schema shop; create table shop.item (id int primary key, name text);";
const MIDDLE =
  "create table shop.orders (id int primary key, item int references shop.item); create view shop.names as select name from shop.item;";
const ABOVE =
  "alter table shop.item enable row level security; create policy p on shop.item using (true); create index orders_item on shop.orders (item); grant select on shop.names to public;";

const below = project.layer("below", BELOW);
const middle = project.layer("middle", MIDDLE, { base: [{ name: "below", files: ["below.sql"] }] });
const above = project.layer("above", ABOVE, {
  base: [
    { name: "below", files: ["below.sql"] },
    { name: "middle", files: ["middle.sql"] },
  ],
});

/** Every row of the catalogs that a layer may change. */
const CATALOG = `
  select (select count(*) from pg_class) as relations, (select count(*) from pg_proc) as functions, (select count(*) from pg_namespace) as schemas,
         (select count(*) from pg_policy) as policies, (select count(*) from pg_constraint) as constraints, (select count(*) from pg_roles) as roles,
         (select count(*) from pg_class where relrowsecurity) as secured`;

test("a preview plans three dependent layers on one another, and nothing in the catalog changes", async () => {
  const database = await freshDatabase();
  const before = await database.query(CATALOG);
  const plans = await preview(database.url, [below, middle, above]);
  expect(plans.map((plan) => plan.map(({ name }) => name))).toEqual([
    ["1 schema shop", "2 table shop.item · 2 columns, 1 constraint"],
    expect.arrayContaining([
      expect.stringMatching(/\d table shop.orders/),
      expect.stringMatching(/\d view shop.names/),
    ]),
    expect.arrayContaining([
      expect.stringMatching(/\d table shop.item · ENABLE ROW LEVEL SECURITY/),
      expect.stringMatching(/\d policy p on shop.item/),
    ]),
  ]);
  expect(await database.query(CATALOG)).toEqual(before);
});

test("what a preview announces is what the update does", async () => {
  const database = await freshDatabase();
  const layers = [below, middle, above];
  const plans = await preview(database.url, layers);
  const states = await upAll(database.url, layers);
  expect(states.map(({ outputs }) => outputs.lastRun)).toMatchObject(
    plans.map((plan) => ({ statements: sqlOf(plan).length })),
  );
  expect(await preview(database.url, layers, states)).toEqual([[], [], []]);
});

test("planned statements have unique names in their order, their SQL as lines, and the lock that they take", async () => {
  const database = await freshDatabase();
  const states = await upAll(database.url, [below, middle]);
  const long = `${ABOVE} create function shop.two() returns int language plpgsql as $$
begin
  return 2;
end;
$$;`;
  const [, , plan] = await preview(
    database.url,
    [below, middle, project.layer("above", long, { base: above.base ?? [] })],
    states,
  );
  project.layer("above", ABOVE);
  const names = plan?.map(({ name }) => name) ?? [];
  expect(new Set(names).size).toBe(names.length);
  expect([...names].sort()).toEqual(names);
  const steps = new Map(plan?.map((step) => [step.name.replace(/^\d+ /, ""), step]));
  expect(steps.get("policy p on shop.item")).toMatchObject({
    op: "create",
    details: { sql: { 4: [expect.stringContaining("CREATE POLICY")] } },
  });
  expect(steps.get("table shop.item · ENABLE ROW LEVEL SECURITY")).toMatchObject({
    op: "update",
    details: { lock: "ACCESS EXCLUSIVE" },
  });
  const body = Object.values(steps.get("function shop.two()")?.details.sql ?? {}).flat();
  expect(body).toEqual(expect.arrayContaining(["begin", "  return 2;", "end;"]));
});

test("the outputs of a preview say what is known and leave open what the run will tell", async () => {
  const database = await freshDatabase();
  await inRun(database.url, async (run) => {
    const { outputs } = await run.layer.create(run.context(true), await checked(run, below));
    expect(outputs).toMatchObject({ objects: ["schema shop", "table shop.item"], adopted: [], drift: [] });
    expect(outputs.lastRun).toBe(UNKNOWN);
  });
});

test("a layer is planned without a database while its URL is not known, and its SQL is checked nevertheless", async () => {
  await inRun(
    undefined,
    async (run) => {
      const inputs = await checked(run, below);
      expect(inputs.digest).toMatch(/^[0-9a-f]{32}$/);
      const { outputs } = await run.layer.create(run.context(true), inputs);
      expect([outputs.objects, outputs.contribution, outputs.adopted, outputs.lastRun]).toEqual([
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
      ]);
      expect(run.said.infos).toEqual(["the database is not known yet: its statements are planned when it is"]);
      await expect(checked(run, project.layer("faulty", "create tabel t (id int);"))).rejects.toThrow(
        'faulty.sql:1:8: syntax error at or near "tabel"',
      );
    },
    { shadow: "embedded" },
  );
});

test("an update without a database is refused", async () => {
  await inRun(undefined, async (run) => {
    const inputs = { ...below, digest: "0" };
    await expect(run.layer.create(run.context(), inputs)).rejects.toThrow("The provider's `url` is not known");
  });
});

test("a diff while the database is not known compares the inputs alone", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, below);
  await inRun(undefined, async ({ layer, context }) => {
    expect(await layer.diff(context(true), state, state.inputs)).toEqual({ changed: false, detailed: {} });
    expect(await layer.diff(context(true), state, { ...state.inputs, digest: "1" })).toEqual({
      changed: true,
      detailed: { digest: { kind: "update", inputDiff: true } },
    });
  });
});

test("an input that is not known yet makes a preview without statements", async () => {
  const database = await freshDatabase();
  await inRun(database.url, async (run) => {
    const { outputs } = await run.layer.create(run.context(true), { name: "later", files: [UNKNOWN] });
    expect(outputs.objects).toBe(UNKNOWN);
    expect(run.said.plans).toEqual([]);
  });
});

test("a preview of an update sees what the layers below will have changed", async () => {
  const database = await freshDatabase();
  const states = await upAll(database.url, [below, middle]);
  const wider = project.layer("below", `${BELOW} alter table shop.item add column price int;`);
  const using = project.layer("middle", `${MIDDLE} create index item_price on shop.item (price);`, {
    base: middle.base ?? [],
  });
  const plans = await preview(database.url, [wider, using], states);
  project.layer("below", BELOW);
  project.layer("middle", MIDDLE);
  expect(plans.map((plan) => plan.map(({ name }) => name))).toEqual([
    ["1 column shop.item.price"],
    ["1 index shop.item_price"],
  ]);
});
