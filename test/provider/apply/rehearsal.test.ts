import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { type Breakage, breakages, planner } from "../../support/brokenPlanner.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { checked, inRun, project, up } from "../../support/layerHarness.ts";

vi.mock("../../../provider/plan/planStatements.ts", async (original) => {
  const { breakable } = await import("../../support/brokenPlanner.ts");
  const module = await original<typeof import("../../../provider/plan/planStatements.ts")>();
  return { ...module, planSegments: breakable(module.planSegments) };
});

const freshDatabase = freshDatabases();
beforeEach(() => {
  Object.assign(planner, { breakage: undefined, choice: 4 });
});

const BEFORE = `
  create schema shop;
  create type shop.kind as enum ('plain');
  create table shop.item (id int not null, name text, price int, kind shop.kind default 'plain', old text);
  create table shop.orders (id int primary key, item int);
  create view shop.prices as select id, price, old from shop.item;
  create index item_name on shop.item (name);`;

const AFTER = `
  create schema shop;
  create type shop.kind as enum ('plain', 'rare');
  create table shop.item (id int primary key, name text, price bigint, kind shop.kind default 'rare', more text);
  create table shop.orders (id int primary key, item int references shop.item);
  create view shop.prices as select id, price from shop.item;
  create index item_name on shop.item (name);
  create index item_more on shop.item (more);
  comment on column shop.item.more is 'more of it';
  alter table shop.item enable row level security;
  create policy cheap on shop.item using (price < 10);
  grant select on shop.item to pg_monitor;`;

/** A part of what the preview says. */
const MESSAGES: Record<Breakage, RegExp> = {
  "a dependent that stays": /refuses it:[\s\S]*depends? on/,
  "an index before its columns": /refuses it:[\s\S]*"more" does not exist/,
  "a foreign key before the key that it refers to": /refuses it:[\s\S]*no unique constraint/,
  "a name that is not there": /refuses it:[\s\S]*"no old" of/,
  "SQL that is none": /refuses it:[\s\S]*syntax error/,
  "a statement that is not allowed in a transaction": /refuses it:[\s\S]*cannot run inside a transaction/,
  "an enum value that is used before its commit": /refuses it:[\s\S]*unsafe use of new value/,
  "a forgotten comment": /does not produce[\s\S]*comment on column shop.item.more is missing/,
  "another type": /does not produce[\s\S]*column shop.item.more differs/,
  "a policy that lets more through": /does not produce[\s\S]*policy cheap/,
  "a grant to everyone": /does not produce[\s\S]*privileges of/,
  "something that nobody asked for": /does not produce[\s\S]*schema extra is left/,
  "a table that stays open": /does not produce[\s\S]*table shop.item differs/,
  "a forgotten statement": /The plan was rehearsed/,
  "a statement twice": /refuses it:/,
  "a statement too early": /refuses it:/,
  "the order turned round": /refuses it:/,
};

/** What a change would have touched. */
const CATALOG = `
  select (select pg_catalog.count(*)::int from pg_catalog.pg_class where relnamespace = 'shop'::regnamespace) as relations,
         (select pg_catalog.max(xmin::text::bigint)::text from pg_catalog.pg_attribute) as columns`;

test.each(breakages)(
  "a plan with %s stops in the preview and in the update, and nothing is touched",
  async (breakage) => {
    const message = MESSAGES[breakage];
    const database = await freshDatabase();
    const state = await up(database.url, project.layer("shop", BEFORE));
    const before = await database.query(CATALOG);
    const changed = project.layer("shop", AFTER);
    planner.breakage = breakage;
    for (const isPreview of [true, false]) {
      await inRun(database.url, async (run) => {
        const inputs = await checked(run, changed, state.inputs);
        await expect(run.layer.update(run.context(isPreview), state, inputs)).rejects.toMatchObject({
          code: "PS902",
          message: expect.stringMatching(message),
        });
      });
    }
    expect(await database.query(CATALOG)).toEqual(before);
  },
);

test("a table that is dropped before a view on it stops, though the plan drops the view as well", async () => {
  const database = await freshDatabase();
  const view = "create table shop.a (id int); create view shop.v as select id from shop.a;";
  const state = await up(database.url, project.layer("shop", `create schema shop; ${view}`));
  planner.breakage = "the order turned round";
  await inRun(database.url, async (run) => {
    const inputs = await checked(run, project.layer("shop", "create schema shop;"), state.inputs);
    await expect(run.layer.update(run.context(true), state, inputs)).rejects.toMatchObject({
      code: "PS902",
      message: expect.stringContaining("SQLSTATE 2BP01"),
    });
  });
});

test("the same plan passes as the planner makes it, and is rehearsed once more only where that is not known", async () => {
  const database = await freshDatabase();
  const cache = join(project.directory, ".pgstrata", "cache");
  const passed = async (): Promise<string[]> => (await readdir(cache)).filter((name) => name.startsWith("rehearsed-"));
  const state = await up(database.url, project.layer("shop", BEFORE));
  const changed = project.layer("shop", AFTER);
  await Promise.all((await passed()).map((name) => rm(join(cache, name))));
  await inRun(database.url, async (run) => {
    await run.layer.update(run.context(true), state, await checked(run, changed, state.inputs));
    expect(run.said.warnings).toEqual([]);
  });
  const [known = "", ...others] = await passed();
  expect(others).toEqual([]);

  // An entry that is used is touched; one that is written anew is another file.
  const { ino } = await stat(join(cache, known));
  await up(database.url, changed, state);
  expect(await passed()).toEqual([known]);
  expect((await stat(join(cache, known))).ino).toBe(ino);
});

const OPERATOR =
  "create schema ops; create operator ops.=== (leftarg = int, rightarg = int, function = pg_catalog.int4eq);";

test("a copy of the catalog has the operators that a plan needs", async () => {
  const database = await freshDatabase();
  await database.query(OPERATOR);
  project.layer("assumed", OPERATOR);
  const sql = "create schema shop; create table shop.item (id int check (id operator(ops.===) 1));";
  const layer = project.layer("shop", sql, { assumes: ["assumed.sql"] });
  await inRun(database.url, async (run) => {
    await run.layer.create(run.context(true), await checked(run, layer));
    expect(run.said.warnings).toEqual([]);
  });
  expect((await up(database.url, layer)).outputs.objects).toContain("table shop.item");
});

test("what the text of a called function calls or reads is part of the rehearsal", async () => {
  const database = await freshDatabase();
  const sql = `create schema shop; create table shop.rate (value int); create table shop.item (id int, price int);
    create function shop.grade(n int) returns int language sql immutable as $$ select n / 10 $$;
    create function shop.rated(n int) returns int language sql immutable as $$ select n * count(*)::int from shop.rate $$;
    create function shop.outer_grade(n int) returns int language sql immutable as $$ select shop.grade(n) $$;`;
  const state = await up(database.url, project.layer("shop", sql));
  const changed = `${sql} create index graded on shop.item (shop.outer_grade(price));
    create function shop.also_rated(n int) returns int language sql immutable as $$ select shop.rated(n) $$;
    create index rated on shop.item (shop.also_rated(price));`;
  const { said } = await inRun(database.url, async (run) => {
    const layer = project.layer("shop", changed);
    await run.layer.update(run.context(true), state, await checked(run, layer, state.inputs));
    return run;
  });
  expect(said.warnings).toEqual([]);
});
