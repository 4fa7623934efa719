import { expect, test } from "vitest";
import type { ResourceState } from "../../../../provider/core/resourceType.ts";
import { Ledger } from "../../../../provider/database/ledger.ts";
import { createTestRole, type TestDatabase } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, inRun, pending, preview, project, put, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const NOTES = `
  create schema notes;
  create table notes.note (id int primary key, text text not null);
  create index note_text on notes.note (text);
  alter table notes.note enable row level security;
  create policy everyone on notes.note using (true);`;
const MORE = `${NOTES} create table notes.tag (id int); create index note_id_text on notes.note (id, text);`;

const notes = project.layer("notes", NOTES);

/** Large objects of the database, which a ledger is made of. */
async function largeObjects({ query }: TestDatabase): Promise<number> {
  const [row] = await query<{ count: number }>("select count(*)::int from pg_largeobject_metadata");
  return row?.count ?? -1;
}

async function hasSchema({ query }: TestDatabase): Promise<boolean> {
  return (await query("select from pg_namespace where nspname = 'notes'")).length === 1;
}

/** An update whose process is killed after the commit: what it did stays, and its state is never written. */
async function killedUp(database: TestDatabase, properties: typeof notes, state?: ResourceState): Promise<void> {
  await up(database.url, properties, state);
}

test("what a killed run made is the layer's own for the next run, and a destroy takes it back", async () => {
  const database = await freshDatabase();
  await killedUp(database, notes);
  expect(await preview(database.url, [notes])).toEqual([[]]);
  const state = await up(database.url, notes);
  expect(state.outputs.adopted).toEqual([]);
  expect(state.outputs.lastRun).toMatchObject({ statements: 0 });
  await destroy(database.url, state);
  expect(await hasSchema(database)).toBe(false);
  expect(await largeObjects(database)).toBe(0);
});

test("what was there before the killed run stays adopted, and a destroy leaves it in place with its rows", async () => {
  const database = await freshDatabase();
  await database.query("create schema notes; create table notes.note (id int primary key, text text not null)");
  await database.query("insert into notes.note values (1, 'kept')");
  await killedUp(database, notes);
  const state = await up(database.url, notes);
  expect(state.outputs.adopted).toEqual(["schema notes", "table notes.note"]);
  await destroy(database.url, state);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_pkey"]);
  expect(await database.query("select * from notes.note")).toEqual([{ id: 1, text: "kept" }]);
  expect(
    await database.query("select relrowsecurity as secured from pg_class where oid = 'notes.note'::regclass"),
  ).toEqual([{ secured: false }]);
});

test("what a killed update of a known layer made is the layer's own", async () => {
  const database = await freshDatabase();
  const first = await up(database.url, notes);
  const more = project.layer("notes", MORE);
  await killedUp(database, more, first);
  const second = await up(database.url, more, first);
  expect(second.outputs.adopted).toEqual([]);
  await destroy(database.url, second);
  expect(await hasSchema(database)).toBe(false);
  project.layer("notes", NOTES);
});

test("what a killed update made goes when the files are taken back to what the state knows", async () => {
  const database = await freshDatabase();
  const first = await up(database.url, notes);
  await killedUp(database, project.layer("notes", MORE), first);
  project.layer("notes", NOTES);
  const [plan] = await preview(database.url, [notes], [first]);
  expect(plan?.map(({ op, name }) => `${op} ${name.replace(/^\d+ /, "")}`)).toEqual([
    "delete index notes.note_id_text",
    "delete table notes.tag",
  ]);
  const second = await up(database.url, notes, first);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_pkey", "note_text"]);
  expect(await pending(database.url, second)).toEqual([]);
});

test("a destroy after a killed update takes back what that one made, too", async () => {
  const database = await freshDatabase();
  const first = await up(database.url, notes);
  await killedUp(database, project.layer("notes", MORE), first);
  project.layer("notes", NOTES);
  await destroy(database.url, first);
  expect(await hasSchema(database)).toBe(false);
});

test("an index that a killed run built outside of a transaction is the layer's own", async () => {
  const database = await freshDatabase();
  await database.query(
    "create schema notes; create table notes.note (id int primary key, text text not null); insert into notes.note values (1, 'kept')",
  );
  const indexed = project.layer(
    "indexed",
    "create schema notes; create table notes.note (id int primary key, text text not null); create index note_text on notes.note (text);",
  );
  const [plan] = await preview(database.url, [indexed]);
  expect(sqlOf(plan)).toEqual([expect.stringMatching(/^CREATE INDEX CONCURRENTLY note_text/)]);
  await killedUp(database, indexed);
  const state = await up(database.url, indexed);
  expect(state.outputs.adopted).toEqual(["schema notes", "table notes.note"]);
  await destroy(database.url, state);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_pkey"]);
});

test("another stack that finds the objects adopts them, and takes nothing back", async () => {
  const database = await freshDatabase();
  const own = await up(database.url, notes);
  const other = await up(database.url, notes, undefined, { stack: "other" });
  expect(other.outputs.adopted).toContain("table notes.note");
  await inRun(database.url, ({ layer, context }) => layer.delete(context(), other), { stack: "other" });
  expect(await relationsIn(database, "notes")).toContain("note");
  await destroy(database.url, own);
  expect(await hasSchema(database)).toBe(false);
});

test("an update that fails leaves no note", async () => {
  const database = await freshDatabase();
  const broken = project.layer("broken", `${NOTES} create table notes.far (id int);`);
  await database.query("create schema notes; create view notes.far as select 1 as id");
  await expect(up(database.url, broken)).rejects.toThrow(
    "The database has an object of that name that no layer declares",
  );
  expect(await largeObjects(database)).toBe(0);
});

test("an approval that did its work in a killed run is not held against the next one", async () => {
  const database = await freshDatabase();
  await database.query(
    "create schema notes; create table notes.note (id int primary key, text numeric(9, 4)); insert into notes.note values (1, 2)",
  );
  const narrowed = project.layer(
    "narrowed",
    "create schema notes; create table notes.note (id int primary key, text numeric(5, 1));",
    { allow: ["change-type:notes.note.text", "rewrite-table:notes.note"] },
  );
  await killedUp(database, narrowed);
  expect(await preview(database.url, [narrowed])).toEqual([[]]);
  const state = await up(database.url, narrowed);
  expect(state.outputs.lastRun).toMatchObject({ statements: 0 });
  expect(state.outputs.spentApprovals).toEqual(narrowed.allow);
});

test("a database that needs no statement is not written to", async () => {
  const database = await freshDatabase();
  await database.query(NOTES);
  const state = await up(database.url, notes);
  expect(await largeObjects(database)).toBe(0);
  await destroy(database.url, state);
  expect(await relationsIn(database, "notes")).toContain("note");
});

test("a large object of somebody else in the note's place is left alone, and the update goes without a note", async () => {
  const database = await freshDatabase();
  await up(database.url, notes);
  const [note] = await database.query<{ oid: string }>("select oid::text from pg_largeobject_metadata");
  await database.query("drop schema notes cascade");
  await database.query("select lo_unlink($1::oid)", [note?.oid]);
  await database.query("select lo_from_bytea($1::oid, 'theirs')", [note?.oid]);

  const state = await up(database.url, notes);
  await destroy(database.url, state);

  expect(await hasSchema(database)).toBe(false);
  expect(await database.query("select convert_from(lo_get($1::oid), 'utf8') as text", [note?.oid])).toEqual([
    { text: "theirs" },
  ]);
});

test("a note that the role may not read is no obstacle: what is there is adopted", async () => {
  const database = await freshDatabase();
  await killedUp(database, notes);
  const role = await createTestRole();
  await database.query(`alter schema notes owner to ${role.name}; alter table notes.note owner to ${role.name}`);
  const state = await up(database.urlFor(role), notes);
  expect(state.outputs.adopted).toContain("table notes.note");
  expect(await pending(database.urlFor(role), state)).toEqual([]);
  await database.query(`reassign owned by ${role.name} to current_user; drop owned by ${role.name}`);
  await role.drop();
});

for (const right of ["lo_get(oid)", "lo_from_bytea(oid, bytea)"]) {
  test(`a server that lets nobody use ${right} is no obstacle`, async () => {
    const database = await freshDatabase();
    const role = await createTestRole();
    await database.query(`revoke all on function pg_catalog.${right} from public`);
    await database.query(`grant create on database ${database.name} to ${role.name}`);
    await killedUp(database, notes);
    await database.query("drop schema notes cascade");
    const url = database.urlFor(role);
    const state = await up(url, notes);
    expect(await pending(url, state)).toEqual([]);
    await destroy(url, state);
    expect(await hasSchema(database)).toBe(false);
    await database.query(`drop owned by ${role.name}`);
    await role.drop();
  });
}

test("a note of a form that this version does not know is no obstacle", async () => {
  const database = await freshDatabase();
  await killedUp(database, notes);
  const ledger = new Ledger("test::test layer notes");
  const client = await database.pool.connect();
  try {
    expect(await ledger.read(client)).toMatch(/^1:/);
    await client.query("begin");
    await ledger.write(client, "9:of-the-future");
    await client.query("commit");
  } finally {
    client.release();
  }
  const state = await up(database.url, notes);
  expect(state.outputs.adopted).toContain("table notes.note");
});

test("an update that changes nothing leaves the note as it is", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, notes);
  const version = "select xmin::text from pg_largeobject_metadata";
  const before = await database.query(version);
  await inRun(database.url, (run) => put(run, { ...notes, forceDestroy: true }, state));
  expect(await database.query(version)).toEqual(before);
});
