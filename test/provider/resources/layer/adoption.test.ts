import { expect, test } from "vitest";
import type { ResourceState } from "../../../../provider/core/resourceType.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, inRun, pending, preview, project, refresh, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const NOTES = `
  create schema notes;
  create table notes.note (id int primary key, text text not null);
  create index note_text on notes.note (text);
  alter table notes.note enable row level security;
  create policy everyone on notes.note using (true);
  create view notes.texts as select text from notes.note;`;

const notes = project.layer("notes", NOTES);
const ALL = [
  "index notes.note_text",
  "policy everyone on notes.note",
  "schema notes",
  "table notes.note",
  "view notes.texts",
];

/** Everything a person sees of the schema; empty when it is gone. */
async function seen(query: (sql: string) => Promise<unknown[]>): Promise<unknown> {
  return query(`
    select n.nspname, c.relname, c.relrowsecurity, (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies
      from pg_namespace n left join pg_class c on c.relnamespace = n.oid where n.nspname = 'notes' order by 2`);
}

test("a database that has everything already is adopted without a statement, and a destroy leaves it as it was", async () => {
  const database = await freshDatabase();
  await database.query(NOTES);
  const before = await seen(database.query);
  expect(await preview(database.url, [notes])).toEqual([[]]);
  const state = await up(database.url, notes);
  expect(state.outputs.adopted).toEqual(ALL);
  expect(state.outputs.lastRun).toMatchObject({ statements: 0 });
  expect(await pending(database.url, state)).toEqual([]);
  const said = await destroy(database.url, state);
  expect(said.infos.join("\n")).toMatch(/\d+ adopted objects stay in place/);
  expect(await seen(database.query)).toEqual(before);
});

test("of a database that has a part, that part is adopted, the rest is made, and a destroy drops the rest alone", async () => {
  const database = await freshDatabase();
  await database.query("create schema notes; create table notes.note (id int primary key, text text not null)");
  await database.query("insert into notes.note values (1, 'kept')");
  const state = await up(database.url, notes);
  expect(state.outputs.adopted).toEqual(["schema notes", "table notes.note"]);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_pkey", "note_text", "texts"]);
  await destroy(database.url, state);
  expect(await seen(database.query)).toEqual([
    { nspname: "notes", relname: "note", relrowsecurity: false, policies: 0 },
    { nspname: "notes", relname: "note_pkey", relrowsecurity: false, policies: 0 },
  ]);
  expect(await database.query("select * from notes.note")).toEqual([{ id: 1, text: "kept" }]);
});

test("what is adopted stays adopted after later updates, and what was made stays the layer's own", async () => {
  const database = await freshDatabase();
  await database.query("create schema notes; create table notes.note (id int primary key, text text not null)");
  const first = await up(database.url, notes);
  const second = await up(database.url, project.layer("notes", `${NOTES} create table notes.tag (id int);`), first);
  project.layer("notes", NOTES);
  expect(second.outputs.adopted).toEqual(first.outputs.adopted);
  await destroy(database.url, second);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_pkey"]);
});

test("what leaves the files of a layer goes, though it was adopted: rights at once, columns and tables once approved", async () => {
  const database = await freshDatabase();
  await database.query(
    `${NOTES} create table notes.old (id int); alter table notes.note add column tag text default 'x'`,
  );
  await database.query("insert into notes.note values (1, 'kept')");
  await database.query("create function notes.f(n int) returns int language sql as 'select n'");
  const said = `${NOTES} create function notes.f(n int) returns int language sql as 'select n';
    create table notes.old (id int); alter table notes.note add column tag text default 'x';`;
  const adopted = await up(database.url, project.layer("leaving", said));
  expect(adopted.outputs.lastRun).toMatchObject({ statements: 0 });

  const fewer = project.layer(
    "leaving",
    `create schema notes; create table notes.note (id int primary key, text text not null);
     create function notes.f(n int, m int default 0) returns int language sql as 'select n + m';`,
  );
  const allow = ["drop-column:notes.note.tag", "drop-table:notes.old"];
  await expect(up(database.url, fewer, adopted)).rejects.toThrow("drop-column:notes.note.tag");
  const state = await up(database.url, { ...fewer, allow }, adopted);
  expect(await pending(database.url, state)).toEqual([]);
  expect(await seen(database.query)).toEqual([
    { nspname: "notes", relname: "note", relrowsecurity: false, policies: 0 },
    { nspname: "notes", relname: "note_pkey", relrowsecurity: false, policies: 0 },
  ]);
  expect(await database.query("select *, notes.f(id) as f from notes.note")).toEqual([{ id: 1, text: "kept", f: 1 }]);
  await destroy(database.url, state);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_pkey"]);
});

test("an adopted table that lacks a column gets it, keeps its rows and its unknown columns, and loses the column again", async () => {
  const database = await freshDatabase();
  await database.query("create schema notes; create table notes.note (id int primary key, text text not null)");
  await database.query("insert into notes.note values (1, 'kept')");
  const wider = project.layer(
    "wider",
    "create schema notes; create table notes.note (id int primary key, text text not null, tag text);",
  );
  const state = await up(database.url, wider);
  expect(await database.query("select * from notes.note")).toEqual([{ id: 1, text: "kept", tag: null }]);
  await destroy(database.url, { ...state, inputs: { ...state.inputs, forceDestroy: true } });
  expect(await database.query("select * from notes.note")).toEqual([{ id: 1, text: "kept" }]);
});

test("a table with columns that nobody declares is adopted with them", async () => {
  const database = await freshDatabase();
  await database.query(
    "create schema notes; create table notes.note (id int primary key, text text not null, extra int)",
  );
  const state = await up(database.url, notes);
  expect(await pending(database.url, state)).toEqual([]);
  expect(
    await database.query(
      "select attname from pg_attribute where attrelid = 'notes.note'::regclass and attname = 'extra'",
    ),
  ).toHaveLength(1);
});

const FORERUNNER = `
  create schema platform;
  create table platform.databases (
    id uuid primary key default gen_random_uuid(), name text not null, type text check (type in ('postgres', 'redis', 'mongodb', 'bun_api')),
    health_check_enabled boolean default true, error_count int default 0, unique (id, name));
  insert into platform.databases (name, type) values ('old', 'redis');`;
const REGISTRY =
  "create schema platform; create table platform.databases (id uuid primary key default gen_random_uuid(), name text not null, type text, host text, port int);";

test("a forerunner of another shape is refused with the columns that differ, and nothing is changed", async () => {
  const database = await freshDatabase();
  await database.query(FORERUNNER);
  const registry = project.layer("registry", `${REGISTRY} create table platform.other (id int);`);
  const fault =
    /table platform.databases: found a table of another shape: it lacks host, port and has error_count, health_check_enabled, which are not declared\.[\s\S]*alter table … rename to[\s\S]*"adopt-table:<schema>.<name>"/;
  await expect(preview(database.url, [registry])).rejects.toThrow(fault);
  await expect(up(database.url, registry)).rejects.toThrow(fault);
  expect(await relationsIn(database, "platform")).toEqual(["databases", "databases_id_name_key", "databases_pkey"]);
  expect(await database.query("select name, type, error_count from platform.databases")).toEqual([
    { name: "old", type: "redis", error_count: 0 },
  ]);
});

test("a forerunner that is allowed is changed in place and keeps its rows", async () => {
  const database = await freshDatabase();
  await database.query(FORERUNNER);
  const allowed = project.layer("registryAllowed", REGISTRY, { allow: ["adopt-table:platform.databases"] });
  const state = await up(database.url, allowed);
  expect(await database.query("select name, host, error_count from platform.databases")).toEqual([
    { name: "old", host: null, error_count: 0 },
  ]);
  expect(await pending(database.url, state)).toEqual([]);
});

test("an approval for another table does not help", async () => {
  const database = await freshDatabase();
  await database.query(FORERUNNER);
  const wrong = project.layer("registryWrong", REGISTRY, {
    allow: ["adopt-table:platform.other", "drop-table:platform.databases"],
  });
  await expect(up(database.url, wrong)).rejects.toThrow("found a table of another shape");
});

/** As `pulumi import` does. */
async function imported(url: string, id: string): Promise<{ state: ResourceState | undefined; infos: string[] }> {
  return inRun(url, async ({ layer, context, said }) => ({
    state: await layer.read(context(), { id, inputs: {}, outputs: {} }),
    infos: said.infos,
  }));
}

test("an import by id adopts everything, and nothing is pending afterwards", async () => {
  const database = await freshDatabase();
  await database.query(NOTES);
  const { state } = await imported(database.url, "notes?files=notes.sql");
  if (state === undefined) throw new Error("nothing was imported");
  expect(state.id).toBe("notes");
  expect(state.inputs).toMatchObject({ name: "notes", files: ["notes.sql"] });
  expect(state.outputs.adopted).toEqual(ALL);
  expect(state.outputs.drift).toEqual([]);
  expect(await pending(database.url, state)).toEqual([]);
  await destroy(database.url, state);
  expect(await relationsIn(database, "notes")).toEqual(["note", "note_pkey", "note_text", "texts"]);
});

test("an import with base, assumes and roles stands on them", async () => {
  const database = await freshDatabase();
  await database.query(
    `${NOTES} create schema legacy; create view notes.more as select 1 as one; create index on notes.note (id, text)`,
  );
  project.write("legacy.sql", "create schema legacy;");
  project.layer("more", "create view notes.more as select 1 as one; create index on notes.note (id, text);");
  const { state } = await imported(
    database.url,
    "more?files=more.sql&base=notes:notes.sql&assumes=legacy.sql&roles=postgres",
  );
  expect(state?.inputs).toMatchObject({
    base: [{ name: "notes", files: ["notes.sql"] }],
    assumes: ["legacy.sql"],
    roles: ["postgres"],
  });
  expect(state?.outputs.adopted).toEqual(["index notes.note_id_text_idx", "view notes.more"]);
});

test("an import of a part says what is missing, and the next update makes it", async () => {
  const database = await freshDatabase();
  await database.query("create schema notes");
  const { state, infos } = await imported(database.url, "notes?files=notes.sql");
  expect(infos.join("\n")).toMatch(/\d+ statements are needed to complete it/);
  expect(state?.outputs.adopted).toEqual(["schema notes"]);
  expect(state?.outputs.drift).toContain("table notes.note");
  const after = await up(database.url, notes, state);
  expect(await pending(database.url, after)).toEqual([]);
  await destroy(database.url, after);
  expect(await database.query("select nspname from pg_namespace where nspname = 'notes'")).toHaveLength(1);
  expect(await relationsIn(database, "notes")).toEqual([]);
});

test("an import of a layer of which the database has nothing finds nothing", async () => {
  const database = await freshDatabase();
  expect((await imported(database.url, "notes?files=notes.sql")).state).toBeUndefined();
});

for (const id of [
  "",
  "notes",
  "notes?file=notes.sql",
  "?files=notes.sql",
  "notes?files=notes.sql&base=platform",
  "notes?files=notes.sql&base=:x.sql",
  "9?files=notes.sql",
  "notes?files=",
]) {
  test(`the import id "${id}" is refused with the form that is expected`, async () => {
    const database = await freshDatabase();
    await expect(imported(database.url, id)).rejects.toThrow(
      `Found the import id "${id}", expected "<name>?files=<path>"`,
    );
  });
}

test("an import whose files are not there names them", async () => {
  const database = await freshDatabase();
  await expect(imported(database.url, "notes?files=nowhere.sql")).rejects.toThrow("nowhere.sql: found nothing there");
});

test("a refreshed adopted layer is as it was", async () => {
  const database = await freshDatabase();
  await database.query(NOTES);
  const state = await up(database.url, notes);
  expect(await refresh(database.url, state)).toEqual(state);
});

test("a function that an adopted trigger has come to call stays with it, and no other part of the layer does", async () => {
  const database = await freshDatabase();
  const broken = "create function calls.broken() returns trigger language plpgsql as 'begin return null; end'";
  const table = "create table calls.call (id int);";
  const triggerOn = (name: string) =>
    `create trigger note before update on calls.call for each row execute function calls.${name}();`;
  await database.query(`create schema calls; ${broken}; ${table} ${triggerOn("broken")}`);
  const repaired = project.layer(
    "calls",
    `create schema calls; ${table} create function calls.right() returns trigger language plpgsql as 'begin return new; end';
     ${triggerOn("right")} create index call_id on calls.call (id); create table calls.log (id int);`,
  );
  const state = await up(database.url, repaired);
  await destroy(database.url, state);
  expect(await relationsIn(database, "calls")).toEqual(["call"]);
  expect(await database.query("select tgfoid::regproc::text as calls from pg_trigger where tgname = 'note'")).toEqual([
    { calls: 'calls."right"' },
  ]);
});
