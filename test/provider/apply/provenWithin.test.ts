import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test, vi } from "vitest";
import { planner } from "../../support/brokenPlanner.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { checked, destroy, inRun, pending, project, up, upAll } from "../../support/layerHarness.ts";

vi.mock("../../../provider/plan/planStatements.ts", async (original) => {
  const { breakable, breakableWhole } = await import("../../support/brokenPlanner.ts");
  const module = await original<typeof import("../../../provider/plan/planStatements.ts")>();
  return {
    ...module,
    planSegments: breakable(module.planSegments),
    planStatements: breakableWhole(module.planStatements),
  };
});

/** How a transaction is read: how long, as how large, to be gone on from; how often the target is besides. */
const reading = vi.hoisted(() => ({ pauseMs: 0, isLarge: false, isRemembered: false, ofTarget: 0 }));
vi.mock("../../../provider/catalog/readCatalog.ts", async (original) => {
  const module = await original<typeof import("../../../provider/catalog/readCatalog.ts")>();
  const readCatalog: typeof module.readCatalog = async (pool, owner, options = {}) => {
    if (options.within === undefined) {
      reading.ofTarget += options.isRepeated === true ? 0 : 1;
      return module.readCatalog(pool, owner, options);
    }
    await sleep(reading.pauseMs);
    const read = await module.readCatalog(pool, owner, options);
    return { ...read, isLarge: reading.isLarge, remember: () => reading.isRemembered };
  };
  return { ...module, readCatalog };
});

const freshDatabase = freshDatabases();
beforeEach(() => {
  Object.assign(planner, { breakage: undefined, choice: 4 });
  Object.assign(reading, { pauseMs: 0, isLarge: false, isRemembered: false, ofTarget: 0 });
});

const SHOP = `
  create schema shop;
  create table shop.item (id int primary key, name text, price int);
  create index item_name on shop.item (name);
  create view shop.prices as select id, price from shop.item;
  comment on column shop.item.name is 'of it';
  alter table shop.item enable row level security;
  create policy cheap on shop.item using (price < 10);
  grant select on shop.item to pg_monitor;`;

/** How many plans have passed a rehearsal so far. */
async function rehearsed(): Promise<number> {
  const names = await readdir(join(project.directory, ".pgstrata", "cache")).catch(() => []);
  return names.filter((name) => name.startsWith("rehearsed-")).length;
}

test("what only adds is carried out without a rehearsal, and what locks a table is rehearsed", async () => {
  const database = await freshDatabase();
  const before = await rehearsed();
  const state = await up(database.url, project.layer("shop", SHOP));
  const more = `${SHOP} create table shop.kind (name text primary key); comment on schema shop is 'of it';`;
  const next = await up(database.url, project.layer("shop", more), state);
  expect(next.outputs.lastRun).toMatchObject({ statements: 2 });
  expect(await rehearsed()).toBe(before);

  await up(database.url, project.layer("shop", `${more} create index item_price on shop.item (price);`), next);
  expect(await rehearsed()).toBe(before + 1);
});

test.each([
  ["SQL that is none", /refuses it:[\s\S]*syntax error/],
  ["a forgotten comment", /does not produce[\s\S]*comment on column shop.item.name is missing/],
  ["something that nobody asked for", /does not produce[\s\S]*schema extra is left/],
  ["a policy that lets more through", /does not produce[\s\S]*policy cheap/],
  ["the order turned round", /refuses it:/],
] as const)(
  "%s in a plan that only adds stops before its commit, with the words of a rehearsal",
  async (breakage, message) => {
    const database = await freshDatabase();
    planner.breakage = breakage;
    await inRun(database.url, async (run) => {
      const inputs = await checked(run, project.layer("shop", SHOP));
      await expect(run.layer.create(run.context(), inputs)).rejects.toMatchObject({
        code: "PS902",
        message: expect.stringMatching(message),
      });
    });
    const left = await database.query(
      "select nspname::text as left from pg_namespace where nspname in ('shop', 'extra') union all select oid::text from pg_largeobject_metadata",
    );
    expect(left).toEqual([]);
  },
);

const BILL = `
  create schema bill;
  create table bill.payment (id int primary key, item int);
  comment on table bill.payment is 'of it';`;

test("a destroy of what nobody else needs is carried out without a rehearsal, and one that locks what stays is rehearsed", async () => {
  const database = await freshDatabase();
  const before = await rehearsed();
  const [shop, bill] = [project.layer("shop", SHOP), project.layer("bill", BILL)];
  const [lower, upper] = [await up(database.url, shop), await up(database.url, bill)];
  await destroy(database.url, upper);
  expect(await rehearsed()).toBe(before);

  const referring = project.layer(
    "bill",
    `${BILL} alter table bill.payment add foreign key (item) references shop.item;`,
    {
      base: [{ name: "shop", files: shop.files ?? [] }],
    },
  );
  const again = await up(database.url, referring);
  const known = await rehearsed();
  await destroy(database.url, again);
  expect(await rehearsed()).toBe(known + 1);

  await destroy(database.url, lower);
  expect(await rehearsed()).toBe(known + 1);
  expect(await database.query("select nspname from pg_namespace where nspname in ('shop', 'bill')")).toEqual([]);
});

test.each([
  ["a dependent that stays", /refuses it:/],
  ["something that nobody asked for", /does not produce[\s\S]*schema extra is left/],
  ["the order turned round", /refuses it:/],
] as const)("%s in a destroy stops before its commit, with the words of a rehearsal", async (breakage, message) => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", SHOP));
  planner.breakage = breakage;
  await expect(destroy(database.url, state)).rejects.toMatchObject({
    code: "PS902",
    message: expect.stringMatching(message),
  });
  planner.breakage = undefined;
  const left = await database.query("select nspname::text as left from pg_namespace where nspname = 'extra'");
  expect(left).toEqual([]);
  expect(await pending(database.url, state)).toEqual([]);
});

test("what another session adds to what goes is not dropped with it unseen", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", SHOP));
  await inRun(database.url, async (run) => {
    // Known from here on, as in a run whose later layers have been destroyed.
    await run.layer.diff(run.context(true), state, state.inputs);
    await database.query("create table shop.theirs (id int)");
    await expect(run.layer.delete(run.context(), state)).rejects.toThrow(/theirs/);
  });
  expect(await pending(database.url, state)).toEqual([]);
});

test("a table that comes in between is not taken for what the update has made", async () => {
  const database = await freshDatabase();
  const layer = project.layer("shop", "create schema shop; create table shop.item (id int primary key);");
  await inRun(database.url, async (run) => {
    const inputs = await checked(run, layer);
    // Known from here on, as in a run whose earlier layers have been compared.
    await database.query("create schema shop; create table shop.item (id int primary key, more text)");
    const { outputs } = await run.layer.create(run.context(), inputs);
    expect(outputs).toMatchObject({ adopted: expect.arrayContaining(["table shop.item"]) });
  });
});

test("time limits of the database do not end a transaction while what it has made is read", async () => {
  const database = await freshDatabase();
  await database.query(`do $$ begin
    execute format('alter database %I set idle_in_transaction_session_timeout = 1500', current_database());
  end $$`);
  reading.pauseMs = 2000;
  const before = await rehearsed();
  const state = await up(database.url, project.layer("shop", "create schema shop; create table shop.item (id int);"));
  expect(state.outputs.objects).toContain("table shop.item");
  expect(await rehearsed()).toBe(before);
});

test.each([
  ["small", {}, 1],
  ["large", { isLarge: true, isRemembered: true }, 1],
  ["large", { isLarge: true }, 2],
] as const)("the next layer of a run reads a %s catalog, %o, %i times in all", async (_size, how, times) => {
  const database = await freshDatabase();
  Object.assign(reading, how);
  const base = project.layer("shop", "create schema shop; create table shop.item (id int);");
  const above = project.layer("more", "create schema more; create view more.items as select id from shop.item;", {
    base: [{ name: "shop", files: base.files ?? [] }],
  });
  const states = await upAll(database.url, [base, above]);
  expect(states.map(({ outputs }) => outputs.objects)).toEqual([
    expect.arrayContaining(["table shop.item"]),
    expect.arrayContaining(["view more.items"]),
  ]);
  expect(reading.ofTarget).toBe(times);
});
