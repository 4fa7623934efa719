import { assert, expect, test } from "vitest";
import type { Properties, ResourceState } from "../../../../provider/core/resourceType.ts";
import { isDrifted, reportDrift } from "../../../../provider/resources/driftReport.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, inRun, pending, preview, project, put, up, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const ITEMS = `
  create type app.mood as enum ('good', 'bad');
  create sequence app.number;
  create function app.touch() returns trigger language plpgsql as 'begin return new; end';
  create table app.kinds (id int primary key);
  create table app.items (
    id int primary key default nextval('app.number'), kind int references app.kinds, mood app.mood, note text check (note <> ''));
  create index items_note on app.items (note);
  create trigger touch before update on app.items for each row execute function app.touch();
  alter table app.items enable row level security;
  create policy everyone on app.items using (true);
  create view app.notes as select note from app.items;
  grant select on app.items to public;
  revoke all on function app.touch() from public;
  comment on table app.items is 'things';`;
const APP = "create schema app;";
const OTHER = "create table app.other (id int primary key);";

const base = [{ name: "lower", files: ["lower.sql"] }];

type Pair = [lower: Properties, upper: Properties];

/** Two layers, the second on the first, with this SQL. */
const pair = (lower: string, upper: string, allow: readonly string[] = []): Pair => [
  project.layer("lower", lower, { allow: [...allow] }),
  project.layer("upper", upper, { base }),
];

/** Everything that an object would get anew with a recreation: oids, and where rows and indexes lie. */
const identities = ({ query }: TestDatabase) =>
  query(`
    select 'relation' as kind, relname as name, oid::int, relfilenode::int as file, relacl::text as acl from pg_class
     where relnamespace = to_regnamespace('app')
    union all select 'policy', polname, oid::int, 0, '' from pg_policy
    union all select 'trigger', tgname, oid::int, 0, '' from pg_trigger
    union all select 'constraint', conname, oid::int, 0, '' from pg_constraint where connamespace = to_regnamespace('app')
    union all select 'function', proname, oid::int, 0, proacl::text from pg_proc where pronamespace = to_regnamespace('app')
    union all select 'type', typname, oid::int, 0, typacl::text from pg_type where typnamespace = to_regnamespace('app')
    order by kind, name`);

async function atRest(database: TestDatabase, layers: readonly Properties[], states: readonly ResourceState[]) {
  for (const state of states) expect(await pending(database.url, state)).toEqual([]);
  expect(await preview(database.url, layers, states)).toEqual(layers.map(() => []));
  expect(isDrifted(await drift(database, states))).toBe(false);
}

const drift = ({ url }: TestDatabase, layers: readonly ResourceState[]) =>
  reportDrift({ provider: { url }, layers: [...layers], rows: [], sets: [] });

test("a table moves to a layer that is updated after its old one with all its parts, and none of them is made again", async () => {
  const database = await freshDatabase();
  const states = await upAll(database.url, pair(`${APP} ${ITEMS} ${OTHER}`, "create table app.more (id int);"));
  await database.query("insert into app.kinds values (1); insert into app.items (kind, note) values (1, 'red')");
  const before = await identities(database);

  const moved = pair(`${APP} ${OTHER}`, `create table app.more (id int); ${ITEMS}`, ["hand-over:app"]);
  expect(await preview(database.url, moved, states)).toEqual([[], []]);
  const done = await upAll(database.url, moved, states);

  expect(await identities(database)).toEqual(before);
  expect(await database.query("select note from app.items")).toEqual([{ note: "red" }]);
  expect(done.map(({ outputs }) => outputs.adopted)).toEqual([[], []]);
  await atRest(database, moved, done);
  const [lower, upper] = done;
  assert(lower && upper);
  await destroy(database.url, { ...upper, inputs: { ...upper.inputs, forceDestroy: true } });
  expect(await relationsIn(database, "app")).toEqual(["other", "other_pkey"]);
  await destroy(database.url, lower);
  expect(await identities(database)).toEqual([]);
});

const ITEM = "create table app.item (id int primary key, note text); create index item_note on app.item (note);";

/** A lower layer with a table that holds a row, and an upper one without it. */
async function withItem(
  lower = `${APP} ${ITEM}`,
  upper = OTHER,
): Promise<{ database: TestDatabase; states: ResourceState[] }> {
  const database = await freshDatabase();
  const states = await upAll(database.url, pair(lower, upper));
  await database.query("insert into app.item values (1, 'red')");
  return { database, states };
}

const rows = ({ query }: TestDatabase) => query("select * from app.item");
const RED = [{ id: 1, note: "red" }];

test("a table with rows that leaves its layer stops with both answers, and one that is only made again with one", async () => {
  const { database, states } = await withItem();
  const moved = pair(APP, `${OTHER} ${ITEM}`);
  const stopped =
    /If this is intended, add to the layer's `allow`:\n {2}drop-table:app.item\nor, where another layer declares it now[^\n]*\n {2}hand-over:app.item$/;
  await expect(preview(database.url, moved, states)).rejects.toThrow(stopped);
  await expect(upAll(database.url, moved, states)).rejects.toThrow(stopped);
  const narrow = pair(`${APP} create table app.item (id int primary key);`, OTHER);
  await expect(upAll(database.url, narrow, states)).rejects.toThrow("hand-over:app.item.note");
  const partitioned = pair(
    `${APP} create table app.item (id int primary key, note text) partition by hash (id);`,
    OTHER,
  );
  const message = await upAll(database.url, partitioned, states).catch(String);
  expect(message).toContain("found 1 row of app.item outside the bounds of all its partitions");
  expect(message).not.toContain("hand-over");
  expect(await rows(database)).toEqual(RED);
});

test.each([
  ["between the two layers", (url: string, [lower]: Pair, [first]: ResourceState[]) => up(url, lower, first)],
  ["after both layers", upAll],
])("an update that is killed %s is known to the next one, also without the approval", async (_when, killedRun) => {
  const { database, states } = await withItem();
  const before = await identities(database);
  await killedRun(database.url, pair(APP, `${OTHER} ${ITEM}`, ["hand-over:app.item"]), states);

  const moved = pair(APP, `${OTHER} ${ITEM}`);
  expect(await preview(database.url, moved, states)).toEqual([[], []]);
  const done = await upAll(database.url, moved, states);
  expect(await identities(database)).toEqual(before);
  expect(done.map(({ outputs }) => outputs.adopted)).toEqual([[], []]);
  await atRest(database, moved, done);
});

test("a move that was killed half-way and is given up leaves the table with its old layer, as its own", async () => {
  const { database, states } = await withItem();
  const before = await identities(database);
  const [lower] = pair(APP, `${OTHER} ${ITEM}`, ["hand-over:app.item"]);
  const [first] = states;
  assert(first);
  await up(database.url, lower, first);

  const back = pair(`${APP} ${ITEM}`, OTHER);
  expect(await pending(database.url, first)).toEqual(["objects"]);
  const done = await upAll(database.url, back, states);
  expect(await identities(database)).toEqual(before);
  expect(done.map(({ outputs }) => outputs.adopted)).toEqual([[], []]);
  await atRest(database, back, done);
  await expect(upAll(database.url, pair(APP, OTHER), done)).rejects.toThrow("drop-table:app.item");
});

test("what is handed over and not taken stays in place, and outlives its old layer", async () => {
  const { database, states } = await withItem(
    `create schema here; ${APP} ${ITEM}`,
    "create table here.other (id int);",
  );
  const left = pair("create schema here;", "create table here.other (id int);", ["hand-over:app.item"]);
  const [lower, upper] = await upAll(database.url, left, states);
  assert(lower && upper);
  expect(await rows(database)).toEqual(RED);
  const above = project.layer("above", "create table app.more (id int);", { assumes: ["app.sql"] });
  project.layer("app", APP);
  const { notOurs } = await drift(database, [lower, upper, await up(database.url, above)]);
  expect(notOurs).toEqual(["table app.item"]);
  await destroy(database.url, upper);
  await destroy(database.url, lower);
  expect(await rows(database)).toEqual(RED);
});

test("the approval may go or stay once it has done its work", async () => {
  const { database, states } = await withItem();
  const done = await upAll(database.url, pair(APP, `${OTHER} ${ITEM}`, ["hand-over:app.item"]), states);
  const without = pair(APP, `${OTHER} ${ITEM}`);
  expect(await preview(database.url, without, done)).toEqual([[], []]);
  const fresh = await freshDatabase();
  await upAll(fresh.url, pair(APP, `${OTHER} ${ITEM}`, ["hand-over:app.item"]));
  expect(await relationsIn(fresh, "app")).toContain("item");
});

test("a table moves to a layer of another stack on the same database, and is that one's own then", async () => {
  const { database, states } = await withItem();
  const before = await identities(database);
  const [lower] = pair(APP, "", ["hand-over:app.item"]);
  const theirs = project.layer("theirs", ITEM, { base });
  const old = await up(database.url, lower, states[0]);
  const state = await up(database.url, theirs, undefined, { stack: "other" });
  expect(await identities(database)).toEqual(before);
  expect(state.outputs.adopted).toEqual([]);
  expect(await pending(database.url, old)).toEqual([]);

  const third = await up(database.url, { ...theirs, name: "third" }, undefined, { stack: "third" });
  expect(third.outputs.adopted).toContain("table app.item");

  await inRun(
    database.url,
    ({ layer, context }) => layer.delete(context(), { ...state, inputs: { ...state.inputs, forceDestroy: true } }),
    { stack: "other" },
  );
  expect(await relationsIn(database, "app")).toEqual(["other", "other_pkey"]);
});

test("single objects of each kind move, each by its name, and so do parts of what stays", async () => {
  const database = await freshDatabase();
  const stays = `${APP} create table app.base (id int primary key, note text); 
    create function app.hook() returns trigger language plpgsql as 'begin return new; end';`;
  const goes = `create view app.v as select id from app.base; create materialized view app.m as select id from app.base;
    create function app.f(int) returns int language sql as 'select 1'; create procedure app.p() language sql as 'select 1';
    create type app.kind as enum ('a'); create domain app.positive as int check (value > 0); create type app.pair as (a int, b int);
    create sequence app.counter;
    alter table app.base add column extra int default 1; create index base_note on app.base (note);
    alter table app.base add constraint filled check (note <> '');
    create policy p on app.base using (true); create trigger hook after insert on app.base for each row execute function app.hook();
    alter table app.base enable row level security; alter table app.base set (fillfactor = 70);
    grant select on app.base to public; revoke all on schema public from public; comment on column app.base.note is 'n';`;
  const states = await upAll(database.url, pair(`${stays} ${goes}`, "create table app.u (id int);"));
  await database.query("insert into app.base values (1, 'x')");
  const before = await identities(database);
  const names = [
    "app.v",
    "app.m",
    "app.f",
    "app.p",
    "app.kind",
    "app.positive",
    "app.pair",
    "app.counter",
    "app.base",
    "public",
  ];
  const moved = pair(
    stays,
    `create table app.u (id int); ${goes}`,
    names.map((name) => `hand-over:${name}`),
  );

  expect(await preview(database.url, moved, states)).toEqual([[], []]);
  const done = await upAll(database.url, moved, states);
  expect(await identities(database)).toEqual(before);
  expect(done.map(({ outputs }) => outputs.adopted)).toEqual([[], []]);
  await atRest(database, moved, done);

  const [lower, upper] = done;
  assert(lower && upper);
  await destroy(database.url, { ...upper, inputs: { ...upper.inputs, forceDestroy: true } });
  expect(await relationsIn(database, "app")).toEqual(["base", "base_pkey"]);
  expect(await pending(database.url, lower)).toEqual([]);
  const [left] = await database.query(
    "select relrowsecurity as secured, reloptions as options, exists (select from aclexplode(relacl) where grantee = 0) as shown, has_schema_privilege('pg_monitor', 'public', 'usage') as open from pg_class where relname = 'base'",
  );
  expect(left).toEqual({ secured: false, options: null, shown: false, open: true });

  const again = await upAll(database.url, moved, [lower]);
  const withParts = await identities(database);
  const back = pair(`${stays} ${goes}`, "create table app.u (id int);");
  expect(await preview(database.url, back, again)).toEqual([[], []]);
  const returned = await upAll(database.url, back, again);
  expect(await identities(database)).toEqual(withParts);
  expect(returned.map(({ outputs }) => outputs.adopted)).toEqual([[], []]);
  await atRest(database, back, returned);
  const open = goes.replace("alter table app.base enable row level security;", "");
  await upAll(database.url, pair(`${stays} ${open}`, "create table app.u (id int);"), returned);
  expect(await database.query("select relrowsecurity as secured from pg_class where relname = 'base'")).toEqual([
    { secured: false },
  ]);
});

const EXTRA = `
  create schema extra;
  create extension citext with schema extra;
  create table extra.t (id int, name extra.citext);`;

test("what a moved object needs stays with it, also where only the object is named", async () => {
  const database = await freshDatabase();
  const states = await upAll(database.url, pair(`${APP} ${ITEMS} ${EXTRA} create schema kept;`, "create schema more;"));
  await database.query("insert into app.kinds values (1); insert into app.items (kind, note) values (1, 'red')");
  const extensions =
    "select oid::int, (select oid::int from pg_class where relname = 't') as t from pg_extension order by oid";
  const before = [await identities(database), await database.query(extensions)];
  const moved = pair("create schema kept;", `create schema more; ${APP} ${ITEMS} ${EXTRA}`, [
    "hand-over:app.items",
    "hand-over:app.notes",
    "hand-over:extra.t",
  ]);
  expect(await preview(database.url, moved, states)).toEqual([[], []]);
  const done = await upAll(database.url, moved, states);
  expect([await identities(database), await database.query(extensions)]).toEqual(before);
  await atRest(database, moved, done);
});

test("what the lower layer still builds on the moved table is refused with its place", async () => {
  const { database, states } = await withItem(`${APP} ${ITEM} create view app.v as select id from app.item;`);
  const moved = pair(`${APP} create view app.v as select id from app.item;`, `${OTHER} ${ITEM}`, [
    "hand-over:app.item",
  ]);
  await expect(upAll(database.url, moved, states)).rejects.toThrow(
    /lower\.sql:1:.*relation "app.item" does not exist/s,
  );
  expect(await rows(database)).toEqual(RED);
});

test("a moved table may change in the same update", async () => {
  const { database, states } = await withItem();
  const wide = pair(APP, `${OTHER} ${ITEM.replace("note text)", "note text, extra int)")}`, ["hand-over:app.item"]);
  const done = await upAll(database.url, wide, states);
  expect(await rows(database)).toEqual([{ id: 1, note: "red", extra: null }]);
  expect(done.map(({ outputs }) => outputs.adopted)).toEqual([[], []]);
  await atRest(database, wide, done);
});

test("a layer is split into two, and the two become one again", async () => {
  const database = await freshDatabase();
  const one = project.layer("one", `${APP} ${ITEM} ${OTHER}`);
  const whole = await up(database.url, one);
  await database.query("insert into app.item values (1, 'red')");
  const before = await identities(database);

  const left = project.layer("one", APP, { allow: ["hand-over:app.item", "hand-over:app.other"] });
  const onOne = { base: [{ name: "one", files: ["one.sql"] }] };
  const halves = [left, project.layer("two", ITEM, onOne), project.layer("three", OTHER, onOne)];
  const split = await upAll(database.url, halves, [whole]);
  expect(await identities(database)).toEqual(before);
  expect(split.map(({ outputs }) => outputs.adopted)).toEqual([[], [], []]);
  await atRest(database, halves, split);

  const merged = project.layer("one", `${APP} ${ITEM} ${OTHER}`);
  const [, two, three] = split;
  const state = await inRun(database.url, async (run) => {
    const done = await put(run, merged, split[0]);
    for (const old of [three, two]) if (old !== undefined) await run.layer.delete(run.context(), old);
    return done;
  });
  expect(await identities(database)).toEqual(before);
  expect(state.outputs.adopted).toEqual([]);
  await atRest(database, [merged], [state]);
  await destroy(database.url, { ...state, inputs: { ...state.inputs, forceDestroy: true } });
  expect(await identities(database)).toEqual([]);
});

test("all of a layer moves up while its resource is removed, without an approval", async () => {
  const { database, states } = await withItem(`${APP} ${ITEM}`, OTHER);
  const before = await identities(database);
  const merged = project.layer("upper", `${APP} ${ITEM} ${OTHER}`);
  const state = await inRun(database.url, async (run) => {
    const done = await put(run, merged, states[1]);
    if (states[0] !== undefined) await run.layer.delete(run.context(), states[0]);
    return done;
  });
  expect(await identities(database)).toEqual(before);
  expect(state.outputs.adopted).toEqual([]);
  await atRest(database, [merged], [state]);
});

test("a preview stops where what one layer drops would be made again by the next one, with the approvals that keep it", async () => {
  const database = await freshDatabase();
  const parts = `create index item_note on app.item (note); alter table app.item enable row level security;
    create policy everyone on app.item using (true); grant select on app.item to public; create view app.v as select 1 as one;`;
  const table = "create table app.item (id int primary key, note text);";
  const states = await upAll(database.url, pair(`${APP} ${table} ${parts}`, OTHER));
  const moved = (allow: string[]) => pair(`${APP} ${table}`, `${OTHER} ${parts}`, allow);
  await expect(preview(database.url, moved([]), states)).rejects.toThrow(
    [
      'The layer "lower" drops what the layer "upper" declares now and would create again: index app.item_note, policy everyone on app.item, table app.item, view app.v.',
      'Nothing was changed. To keep it as it is, with everything that depends on it, add to the `allow` of "lower":',
      "  hand-over:app.item",
      "  hand-over:app.item.everyone",
      "  hand-over:app.item_note",
      "  hand-over:app.v",
    ].join("\n"),
  );
  const handed = moved(["hand-over:app.item", "hand-over:app.v"]);
  const before = await identities(database);
  expect(await preview(database.url, handed, states)).toEqual([[], []]);
  await atRest(database, handed, await upAll(database.url, handed, states));
  expect(await identities(database)).toEqual(before);
});

test("without a preview, a table that moves up keeps its rows, unless its drop is approved", async () => {
  const { database, states } = await withItem();
  // As `pulumi up --skip-preview` does.
  const update = (allow: string[]) => upAll(database.url, pair(APP, `${OTHER} ${ITEM}`, allow), states);
  await expect(update([])).rejects.toThrow(/PS201: drops table app\.item[\s\S]*hand-over:app\.item/);
  expect(await rows(database)).toEqual(RED);
  // Known gap: the layer that declares the table is not known yet. A preview stops here.
  const moved = pair(APP, `${OTHER} ${ITEM}`, ["drop-table:app.item"]);
  await expect(preview(database.url, moved, states)).rejects.toThrow(
    /would create again: index app\.item_note, table app\.item/,
  );
  await update(["drop-table:app.item"]);
  expect(await rows(database)).toEqual([]);
});

test("without a preview, and where drops are kept, a table moves up with all that it has though its drop is approved", async () => {
  const table = `${ITEM} alter table app.item enable row level security;
    create policy everyone on app.item using (true); grant select on app.item to pg_monitor;`;
  const { database, states } = await withItem(`${APP} ${table}`);
  const before = await identities(database);
  const moved = pair(APP, `${OTHER} ${table}`, ["drop-table:app.item"]);
  const done = await upAll(database.url, moved, states, { keepDroppedDays: 1 });
  expect(await rows(database)).toEqual(RED);
  const isMade = ({ kind }: Record<string, unknown>) => kind === "policy";
  const after = await identities(database);
  expect(after.filter((each) => !isMade(each))).toEqual(before.filter((each) => !isMade(each)));
  expect(after.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
  expect(done.map(({ outputs }) => outputs.adopted)).toEqual([[], []]);
  await atRest(database, moved, done);
});

test("an approval of a hand-over counts once: what is the layer's again is not left by it", async () => {
  const { database, states } = await withItem();
  const allow = ["hand-over:app.item"];
  const moved = await upAll(database.url, pair(APP, `${OTHER} ${ITEM}`, allow), states);
  const back = await upAll(database.url, pair(`${APP} ${ITEM}`, OTHER, allow), moved);
  await expect(upAll(database.url, pair(APP, `${OTHER} ${ITEM}`, allow), back)).rejects.toThrow(
    "hand-over:app.item (2)",
  );
  await upAll(database.url, pair(APP, `${OTHER} ${ITEM}`, [...allow, "hand-over:app.item (again)"]), back);
  expect(await rows(database)).toEqual(RED);
});

test("what everybody was given by hand on a moved table stays, and both layers say what moves", async () => {
  const { database, states } = await withItem();
  await database.query("grant select on app.item to public");
  const moved = pair(APP, `${OTHER} ${ITEM}`, ["hand-over:app.item"]);
  expect(await preview(database.url, moved, states)).toEqual([[], []]);
  const infos = await inRun(database.url, async (run) => {
    for (const [n, properties] of moved.entries()) await put(run, properties, states[n]);
    return run.said.infos;
  });
  expect(infos).toEqual([
    "left in place for the layer that declares it now: index app.item_note, table app.item",
    "taken over from another layer: index app.item_note, table app.item",
  ]);
  expect(await database.query("select has_table_privilege('pg_monitor', 'app.item', 'select') as may")).toEqual([
    { may: true },
  ]);
});

// A known gap: the record that comes with a move has the old name.
test("a table that moves and gets another name in one update keeps its rows, and is adopted", async () => {
  const { database, states } = await withItem();
  const things =
    "-- renamed from: item\n create table app.thing (id int primary key, note text); create index item_note on app.thing (note);";
  const moved = pair(APP, `${OTHER}\n${things}`, ["hand-over:app.item"]);
  const done = await upAll(database.url, moved, states);
  expect(await database.query("select * from app.thing")).toEqual(RED);
  expect(done[1]?.outputs.adopted).toContain("table app.thing");
  for (const state of done) expect(await pending(database.url, state)).toEqual([]);
});
