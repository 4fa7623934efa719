import { expect, test } from "vitest";
import type { Properties, ResourceState } from "../../../../provider/core/resourceType.ts";
import { isDrifted, reportDrift } from "../../../../provider/resources/driftReport.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { pending, preview, project, type RunOptions, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const KEEPING: RunOptions = { keepDroppedDays: 30 };

const layer = (sql: string, allow: readonly string[] = []): Properties =>
  project.layer("app", `create schema app; ${sql}`, { allow: [...allow] });

/** A layer that was applied once, and is applied again with other files. */
async function withLayer(sql: string, rows = "") {
  const database = await freshDatabase();
  let state = await up(database.url, layer(sql), undefined, KEEPING);
  if (rows !== "") await database.query(rows);
  const apply = async (next: string, allow: readonly string[] = [], options = KEEPING): Promise<ResourceState> => {
    state = await up(database.url, layer(next, allow), state, options);
    return state;
  };
  const plan = async (next: string, allow: readonly string[] = [], options = KEEPING): Promise<string[]> => {
    const [changes] = await preview(database.url, [layer(next, allow)], [state], options);
    return sqlOf(changes);
  };
  return { database, apply, plan, state: () => state };
}

async function atRest(database: TestDatabase, state: ResourceState): Promise<void> {
  expect(await pending(database.url, state)).toEqual([]);
  expect(await preview(database.url, [state.inputs], [state], KEEPING)).toEqual([[]]);
  const drift = await reportDrift({ provider: { url: database.url }, layers: [state], rows: [], sets: [] });
  expect(isDrifted(drift)).toBe(false);
}

async function keptSchemas({ query }: TestDatabase): Promise<string[]> {
  const found = await query<{ name: string }>(
    "select nspname as name from pg_namespace where nspname like 'pgstrata%' order by 1",
  );
  return found.map(({ name }) => name);
}

async function keptColumns({ query }: TestDatabase, table: string): Promise<string[]> {
  const found = await query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = $1::regclass and attname like 'pgstrata%' order by 1",
    [table],
  );
  return found.map(({ name }) => name);
}

const PARENTS = "create table app.kinds (id int primary key); create type app.mood as enum ('good', 'bad');";
const ITEMS = `
  create function app.touch() returns trigger language plpgsql as 'begin return new; end';
  create table app.items (
    id serial primary key, kind int not null references app.kinds, mood app.mood default 'good', note text check (note <> ''));
  create index items_note on app.items (note);
  create trigger touch before update on app.items for each row execute function app.touch();
  alter table app.items enable row level security;
  create policy everyone on app.items using (true);
  create table app.parts (item int references app.items);
  create view app.notes as select note from app.items;
  grant select on app.items to public;
  comment on table app.items is 'things';`;

/** What would be another one if a table were made anew. */
const identities = ({ query }: TestDatabase) =>
  query(`
    select relname as name, oid::int, relfilenode::int as file, relacl::text as acl from pg_class
     where relnamespace = to_regnamespace('app') and relname like 'items%' order by 1`);

test("a table that is dropped with rows is kept with all that it needs, and comes back as it was", async () => {
  const { database, apply, plan } = await withLayer(
    `${PARENTS} ${ITEMS}`,
    "insert into app.kinds values (1), (2); insert into app.items (kind, note) values (1, 'red'), (2, 'blue')",
  );
  const before = await identities(database);
  await expect(apply("create table app.kinds (id int primary key);")).rejects.toThrow(
    /PS201: drops table app\.items with about 2 rows, which are kept until [\s\S]*drop-table:app\.items/,
  );
  const gone = await apply("create table app.kinds (id int primary key);", ["drop-table:app.items"]);
  expect(await relationsIn(database, "app")).toEqual(["kinds", "kinds_pkey"]);
  const [schema = ""] = await keptSchemas(database);
  expect(await relationsIn(database, schema)).toEqual(["items", "items_id_seq", "items_note", "items_pkey"]);
  expect(
    await database.query("select grantee from information_schema.usage_privileges where object_name = $1", [schema]),
  ).toEqual([]);
  await atRest(database, gone);
  // A key of what is kept would refuse this.
  await database.query("delete from app.kinds where id = 2; insert into app.kinds values (3)");

  await expect(plan(`${PARENTS} ${ITEMS}`)).rejects.toThrow(/PS310|1 row/);
  await database.query("insert into app.kinds values (2)");
  const statements = await plan(`${PARENTS} ${ITEMS}`);
  expect(statements.join("\n")).toContain(`ALTER TABLE "${schema}"."items" SET SCHEMA "app"`);
  const back = await apply(`${PARENTS} ${ITEMS}`);
  expect(await identities(database)).toEqual(before);
  expect(await keptSchemas(database)).toEqual([]);
  expect(await database.query("select id, kind, mood, note from app.items order by id")).toEqual([
    { id: 1, kind: 1, mood: "good", note: "red" },
    { id: 2, kind: 2, mood: "good", note: "blue" },
  ]);
  expect(await database.query("insert into app.items (kind) values (1) returning id")).toEqual([{ id: 3 }]);
  expect(back.outputs.adopted).toEqual([]);
  await atRest(database, back);
});

test("a column that is dropped with values binds no writer, and comes back with its values and constraints", async () => {
  const whole = `create table app.t (id int primary key, code text not null unique default 'x' check (code <> ''), note text);
    create index t_code on app.t (note, code); comment on column app.t.code is 'a code';`;
  const less = "create table app.t (id int primary key, note text);";
  const { database, apply } = await withLayer(whole, "insert into app.t values (1, 'a', 'red'), (2, 'b', 'blue')");
  const gone = await apply(less, ["drop-column:app.t.code"]);
  const [column = ""] = await keptColumns(database, "app.t");
  expect(column).toMatch(/^pgstrata_kept_\d{8}_code$/);
  await atRest(database, gone);
  await database.query("insert into app.t (id, note) values (3, 'new'), (4, 'newer')");

  await expect(apply(whole)).rejects.toThrow(/PS310[\s\S]*2 rows|2 rows[\s\S]*/);
  expect(await keptColumns(database, "app.t")).toEqual([column]);
  await database.query(`update app.t set ${column} = 'c' || id where id > 2`);
  const back = await apply(whole);
  expect(await database.query("select id, code from app.t order by id")).toEqual([
    { id: 1, code: "a" },
    { id: 2, code: "b" },
    { id: 3, code: "c3" },
    { id: 4, code: "c4" },
  ]);
  expect(await keptColumns(database, "app.t")).toEqual([]);
  await atRest(database, back);
});
