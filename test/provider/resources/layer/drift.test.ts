import { expect, test } from "vitest";
import type { ResourceState } from "../../../../provider/core/resourceType.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { inRun, pending, preview, project, refresh, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const NOTES = `
  create schema notes;
  create table notes.note (id int primary key, text text not null default 'x', constraint note_text check (text <> ''));
  create index note_by_text on notes.note (text);
  alter table notes.note enable row level security;
  create policy everyone on notes.note using (true);
  create function notes.one() returns int language sql immutable as 'select 1';
  revoke all on function notes.one() from public;
  create view notes.texts as select text from notes.note;
  comment on table notes.note is 'notes';
  grant usage on schema notes to public;`;

async function withNotes(): Promise<{ database: TestDatabase; state: ResourceState }> {
  const database = await freshDatabase();
  return { database, state: await up(database.url, project.layer("notes", NOTES)) };
}

/** What a preview says of a change that somebody made by hand: the detail of the diff, by object. */
async function detailAfter(database: TestDatabase, state: ResourceState, change: string) {
  await database.query(change);
  const { detailed } = await inRun(database.url, ({ layer, context }) =>
    layer.diff(context(true), state, state.inputs),
  );
  return Object.fromEntries(Object.entries(detailed).map(([path, { kind }]) => [path, kind]));
}

for (const [what, change, detail, drift] of [
  [
    "a dropped policy",
    "drop policy everyone on notes.note",
    { 'changes["policy everyone on notes.note"]': "add" },
    ["policy everyone on notes.note"],
  ],
  [
    "row security that was switched off",
    "alter table notes.note disable row level security",
    { 'changes["table notes.note"]': "update" },
    ["table notes.note"],
  ],
  [
    "a changed function body",
    "create or replace function notes.one() returns int language sql immutable as 'select 2'",
    { 'changes["function notes.one()"]': "update" },
    ["function notes.one()"],
  ],
  [
    "a dropped index",
    "drop index notes.note_by_text",
    { 'changes["index notes.note_by_text"]': "add" },
    ["index notes.note_by_text"],
  ],
  [
    "a dropped constraint",
    "alter table notes.note drop constraint note_text",
    { 'changes["table notes.note"]': "update" },
    ["constraint note_text on notes.note"],
  ],
  [
    "a changed default",
    "alter table notes.note alter column text set default 'y'",
    { 'changes["table notes.note"]': "update" },
    ["default notes.note.text"],
  ],
  [
    "a lost not null",
    "alter table notes.note alter column text drop not null",
    { 'changes["table notes.note"]': "update" },
    ["column notes.note.text"],
  ],
  [
    "a revoked grant",
    "revoke usage on schema notes from public",
    { 'changes["schema notes"]': "update" },
    ["privileges of PUBLIC on schema notes"],
  ],
  [
    "a changed comment",
    "comment on table notes.note is 'other'",
    { 'changes["table notes.note"]': "update" },
    ["comment on table notes.note"],
  ],
  [
    "a changed view",
    "create or replace view notes.texts as select text || '' as text from notes.note",
    { 'changes["view notes.texts"]': "update" },
    ["view notes.texts"],
  ],
] as const) {
  test(`${what} shows in a diff and a refresh, is repaired by an update, and then nothing is pending`, async () => {
    const { database, state } = await withNotes();
    expect(await detailAfter(database, state, change)).toEqual(detail);
    const refreshed = await refresh(database.url, state);
    expect(refreshed?.outputs.drift).toEqual(drift);
    if (refreshed === undefined) return;
    const repaired = await up(database.url, state.inputs, refreshed);
    expect(repaired.outputs.drift).toEqual([]);
    expect(repaired.outputs.adopted).toEqual([]);
    expect(repaired.outputs.lastRun).toMatchObject({ statements: expect.any(Number) });
    expect(await pending(database.url, repaired)).toEqual([]);
    expect((await refresh(database.url, repaired))?.outputs.drift).toEqual([]);
  });
}

test("execution rights that somebody gave back to the public show and are taken again", async () => {
  const { database, state } = await withNotes();
  const detail = await detailAfter(database, state, "grant execute on function notes.one() to public");
  expect(detail).toEqual({ 'changes["function notes.one()"]': "update" });
  await up(database.url, state.inputs, state);
  expect(await database.query("select has_function_privilege('public', 'notes.one()', 'execute') as may")).toEqual([
    { may: false },
  ]);
});

test("an owner that somebody changed shows where the layer names the owner", async () => {
  const database = await freshDatabase();
  await database.query(
    "do $$ begin create role studio_app; exception when duplicate_object or unique_violation then end $$",
  );
  const owned = project.layer(
    "owned",
    "create schema owned; create table owned.t (id int); alter table owned.t owner to studio_app;",
    {
      roles: ["studio_app"],
    },
  );
  const state = await up(database.url, owned);
  expect(await pending(database.url, state)).toEqual([]);
  expect(await detailAfter(database, state, "alter table owned.t owner to current_user")).toEqual({
    'changes["table owned.t"]': "update",
  });
  expect((await refresh(database.url, state))?.outputs.drift).toEqual(["table owned.t"]);
  const repaired = await up(database.url, state.inputs, state);
  expect(await pending(database.url, repaired)).toEqual([]);
  expect(await database.query("select tableowner from pg_tables where schemaname = 'owned'")).toEqual([
    { tableowner: "studio_app" },
  ]);
});

test("an owner that the layer does not name is left alone", async () => {
  const { database, state } = await withNotes();
  await database.query(
    "do $$ begin create role studio_app; exception when duplicate_object or unique_violation then end $$",
  );
  expect(await detailAfter(database, state, "alter table notes.note owner to studio_app")).toEqual({});
});

for (const [what, change] of [
  ["a rogue index", "create index rogue on notes.note (id, text)"],
  ["a rogue column", "alter table notes.note add column rogue int"],
  ["a rogue table", "create table notes.rogue (id int)"],
  ["a rogue policy", "create policy rogue on notes.note for select using (false)"],
  ["a rogue grant", "grant select on notes.note to pg_monitor"],
  [
    "a rogue trigger",
    "create trigger rogue before update on notes.note for each row execute function suppress_redundant_updates_trigger()",
  ],
] as const) {
  test(`${what} is nobody's, shows nowhere, and survives an update`, async () => {
    const { database, state } = await withNotes();
    expect(await detailAfter(database, state, change)).toEqual({});
    expect((await refresh(database.url, state))?.outputs.drift).toEqual([]);
    const changed = project.layer("notes", `${NOTES} create table notes.tag (id int);`);
    await up(database.url, changed, state);
    expect(await relationsIn(database, "notes")).toContain("tag");
    const [{ rogues } = { rogues: 0 }] = await database.query<{ rogues: number }>(`
      select (select count(*) from pg_class where relname = 'rogue') + (select count(*) from pg_attribute where attname = 'rogue')
           + (select count(*) from pg_policy where polname = 'rogue') + (select count(*) from pg_trigger where tgname = 'rogue')
           + has_table_privilege('pg_monitor', 'notes.note', 'select')::int as rogues`);
    expect(Number(rogues)).toBeGreaterThan(0);
  });
}

test("a table that is gone is made again with all that hangs on it", async () => {
  const { database, state } = await withNotes();
  const detail = await detailAfter(database, state, "drop table notes.note cascade");
  expect(detail).toEqual({
    'changes["table notes.note"]': expect.stringMatching(/add|update/),
    'changes["index notes.note_by_text"]': "add",
    'changes["policy everyone on notes.note"]': "add",
    'changes["view notes.texts"]': "add",
  });
  const repaired = await up(database.url, state.inputs, state);
  expect(await pending(database.url, repaired)).toEqual([]);
  expect(repaired.outputs.adopted).toEqual([]);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_by_text", "note_pkey", "texts"]);
});

test("a layer of which nothing is left is gone", async () => {
  const { database, state } = await withNotes();
  await database.query("drop schema notes cascade");
  expect(await refresh(database.url, state)).toBeUndefined();
});

test("a layer of which one thing is left is not gone", async () => {
  const { database, state } = await withNotes();
  await database.query("drop table notes.note cascade");
  expect((await refresh(database.url, state))?.outputs.drift).toContain("table notes.note");
});

test("a change of the files and a drift are repaired by one update", async () => {
  const { database, state } = await withNotes();
  await database.query("drop policy everyone on notes.note");
  const changed = project.layer("notes", `${NOTES} create table notes.tag (id int);`);
  const [plan] = await preview(database.url, [changed], [state]);
  expect(plan?.map(({ name }) => name.replace(/^\d+ /, "")).sort()).toEqual([
    "policy everyone on notes.note",
    "table notes.tag · 1 column",
  ]);
  const updated = await up(database.url, changed, state);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("a drift that the layer's new files agree with needs no statement", async () => {
  const { database, state } = await withNotes();
  await database.query("create table notes.tag (id int)");
  const changed = project.layer("notes", `${NOTES} create table notes.tag (id int);`);
  const updated = await up(database.url, changed, state);
  expect(updated.outputs.lastRun).toMatchObject({ statements: 0 });
  expect(updated.outputs.adopted).toEqual(["table notes.tag"]);
});

test("a state that cannot be read is refused with what to do", async () => {
  const { database, state } = await withNotes();
  const newer = { ...state, outputs: { ...state.outputs, contribution: "9:xyz" } };
  await expect(pending(database.url, newer)).rejects.toThrow(/Was it written by a newer one[\s\S]*pulumi state delete/);
});

test("settings that mean nothing for the database show as a change of the input alone", async () => {
  const { database, state } = await withNotes();
  const news = { ...state.inputs, forceDestroy: true };
  const { changed, detailed } = await inRun(database.url, ({ layer, context }) =>
    layer.diff(context(true), state, news),
  );
  expect({ changed, detailed }).toEqual({
    changed: true,
    detailed: { forceDestroy: { kind: "update", inputDiff: true } },
  });
  const updated = await up(database.url, news, state);
  expect(updated.outputs.lastRun).toMatchObject({ statements: 0 });
});
