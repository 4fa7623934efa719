import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { reportDrift } from "../../../../provider/resources/driftReport.ts";
import { pullDatabase } from "../../../../provider/resources/pullDatabase.ts";
import { createTestRole, type TestRole } from "../../../support/database.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, preview, project, sqlOf, up } from "../../../support/layerHarness.ts";

let reader: TestRole;
let owner: TestRole;
beforeAll(async () => {
  reader = await createTestRole();
  owner = await createTestRole();
});
// Runs after the databases in which the roles own something are dropped.
afterAll(async () => {
  await reader.drop();
  await owner.drop();
});

const freshDatabase = freshDatabases();
const layer = (sql: string) => project.layer("grants", sql, { roles: [reader.name, owner.name] });

/** Makes a layer, proves that nothing is left, and shows what the plan had been. */
async function made(sql: string, before = "select 1"): Promise<string[]> {
  const { url, query } = await freshDatabase();
  await query(before);
  const plan = sqlOf((await preview(url, [layer(sql)]))[0]);
  expect(await pending(url, await up(url, layer(sql)))).toEqual([]);
  return plan;
}

const IDENTITY = "create schema g; create table g.t (id int generated always as identity);";

test("a grant on the sequence of an identity column that others take or give is drift, and is repaired", async () => {
  const { url, query } = await freshDatabase();
  const declared = layer(`${IDENTITY} grant usage on sequence g.t_id_seq to pg_monitor;`);
  const state = await up(url, declared);
  await query("revoke all on sequence g.t_id_seq from pg_monitor; grant select on sequence g.t_id_seq to public");
  const [drift] = (await reportDrift({ provider: { url }, layers: [state], rows: [], sets: [] })).layers;
  expect(drift?.missing).toEqual(["privileges of pg_monitor on sequence g.t_id_seq"]);
  expect(drift?.notOurs).toEqual(["privileges of PUBLIC on sequence g.t_id_seq"]);
  expect(await pending(url, await up(url, declared, state))).toEqual([]);
});

test("a column that ceases to be an identity, or becomes one, takes and gets the grants on its sequence", async () => {
  const { url } = await freshDatabase();
  const identity = layer(`${IDENTITY} grant usage on sequence g.t_id_seq to pg_monitor;`);
  const plain = layer("create schema g; create table g.t (id int not null);");
  let state = await up(url, plain);
  for (const next of [identity, plain, identity]) {
    state = await up(url, next, state);
    expect(await pending(url, state)).toEqual([]);
  }
});

test("the sequence of a renamed table has its grants under its new name", async () => {
  const { url } = await freshDatabase();
  const state = await up(url, layer(`${IDENTITY} grant usage on sequence g.t_id_seq to pg_monitor;`));
  const renamed = layer(`create schema g;
    -- renamed from: t
    create table g.u (id int generated always as identity);
    grant usage on sequence g.u_id_seq to pg_monitor;`);
  expect(await pending(url, await up(url, renamed, state))).toEqual([]);
});

test("default privileges that no layer declares give nothing on a new schema or the sequence of an identity", async () => {
  const plan = await made(
    `${IDENTITY} create table g.u (id int);`,
    `alter default privileges grant usage on schemas to pg_monitor;
     alter default privileges grant usage on sequences to pg_monitor;`,
  );
  expect(plan).toContain('REVOKE ALL ON SCHEMA "g" FROM "pg_monitor"');
  expect(plan).toContain('REVOKE ALL ON SEQUENCE "g"."t_id_seq" FROM "pg_monitor"');
});

const ON_OTHERS = (): string => `
  create schema g; create table g.t (id int); alter table g.t owner to "${owner.name}";
  create view g.v as select id from g.t; alter view g.v owner to "${reader.name}"; grant select on g.t to "${reader.name}";
  create materialized view g.m as select id from g.v;`;

test("a materialized view over another owner's view is made when that owner may read what it stands on", async () => {
  const plan = await made(ON_OTHERS());
  const place = (words: string): number => plan.findIndex((sql) => sql.startsWith(words));
  expect(place('GRANT SELECT ON TABLE "g"."t"')).toBeLessThan(place('CREATE MATERIALIZED VIEW "g"."m"'));
});

test("a materialized view over another owner's view is pulled behind the grants that it needs", async () => {
  const [source, copy] = [await freshDatabase(), await freshDatabase()];
  await source.query(ON_OTHERS());
  const none = { schemas: [], tables: [], roles: [] };
  const { files, changes } = await pullDatabase(
    { url: source.url, shadow: inject("serverUrl") },
    "grants",
    none,
    process.cwd(),
  );
  for (const { sql } of files) await copy.query(sql);
  expect(changes).toEqual([]);
});

test("a table's privilege becomes one on a column in the same update as a materialized view is made", async () => {
  const { url } = await freshDatabase();
  const table = "create schema g; create table g.t (id int, a int);";
  const state = await up(url, layer(`${table} grant select on g.t to pg_monitor;`));
  const next = layer(
    `${table} grant select (id) on g.t to pg_monitor; create materialized view g.m as select id from g.t;`,
  );
  expect(await pending(url, await up(url, next, state))).toEqual([]);
});

test("grants on the sequence of an identity column come behind its table, also beside a materialized view", async () => {
  const plan = await made(
    `create schema g; create table g.t (id int generated always as identity primary key);
     grant select on sequence g.t_id_seq to ${reader.name}; create materialized view g.m as select id from g.t;`,
    `alter default privileges grant usage on sequences to ${reader.name}`,
  );
  const at = (start: string): number => plan.findIndex((sql) => sql.startsWith(start));
  expect(at("CREATE TABLE")).toBeGreaterThanOrEqual(0);
  expect(at(`GRANT SELECT ON SEQUENCE "g"."t_id_seq"`)).toBeGreaterThan(at("CREATE TABLE"));
});
