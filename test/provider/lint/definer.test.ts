import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LintReport, lintCatalog } from "../../../provider/lint/lintCatalog.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";

let database: TestDatabase;
let caller: TestRole;
beforeAll(async () => {
  database = await createTestDatabase();
  caller = await createTestRole();
});
afterAll(async () => {
  await database.drop();
  await caller.drop();
});

/** What PGL201 finds after statements, which are undone. */
async function findings(sql: string): Promise<LintReport["findings"]> {
  const client = await database.pool.connect();
  await client.query("begin");
  try {
    await client.query(sql);
    return (await lintCatalog(client, ["app"])).findings.filter(({ code }) => code === "PGL201");
  } finally {
    await client.query("rollback");
    client.release();
  }
}

const found = async (sql: string): Promise<string[]> =>
  (await findings(sql)).map(({ level, object }) => `${level} ${object}`);

test("a caller's temporary type runs code as the owner of a function with an empty path, and no more once it is mended", async () => {
  await database.query(`create schema app; grant usage on schema app to public;
    create function app.f() returns text security definer set search_path = '' language plpgsql as
      'declare said text; begin said := 1; return said; end'`);
  /** Who runs the check of the caller's type while the function is called. */
  const ranBy = async (): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: database.urlFor(caller) });
    await client.connect();
    await client.query(`create temp table ran (by name); grant insert on ran to public;
      create function pg_temp.note() returns bool language plpgsql as 'begin insert into ran values (current_user); return true; end';
      create domain pg_temp.text as pg_catalog.text check (pg_temp.note()); select app.f()`);
    const { rows } = await client.query("select distinct by = session_user as is_caller from ran");
    await client.end();
    return rows;
  };
  expect(await ranBy()).toEqual([{ is_caller: false }]);
  const [finding] = await findings("");
  expect(finding).toMatchObject({ code: "PGL201", level: "ERROR", object: "app.f()" });
  expect(finding?.mend).toBe("ALTER FUNCTION app.f() SET search_path = pg_catalog, pg_temp;");
  await database.query(finding?.mend ?? "");
  expect(await ranBy()).toEqual([]);
  await database.query("drop schema app cascade");
});

test("a path without pg_temp at its end is an ERROR where another role can run the function and make temporary objects", async () => {
  const f = `create schema app; create function app.f() returns int security definer set search_path = '' language sql as 'select 1';`;
  const closed = `${f} revoke execute on function app.f() from public;`;
  const noTemporary = `revoke temporary on database "${database.name}" from public;`;
  expect(await found(f)).toEqual(["ERROR app.f()"]);
  expect(await found(closed)).toEqual(["WARNING app.f()"]);
  expect(await found(`${closed} grant execute on function app.f() to ${caller.name}`)).toEqual(["ERROR app.f()"]);
  expect(await found(f + noTemporary)).toEqual(["WARNING app.f()"]);
  const granted = `grant temporary on database "${database.name}" to ${caller.name};`;
  expect(await found(f + noTemporary + granted)).toEqual(["ERROR app.f()"]);
  const other = `${closed} ${noTemporary} grant execute on function app.f() to pg_monitor; ${granted}`;
  expect(await found(other)).toEqual(["WARNING app.f()"]);
  expect(await found(`${other} grant pg_monitor to ${caller.name}`)).toEqual(["ERROR app.f()"]);
});

test("a function of a trigger is run by who may write to its table", async () => {
  const f = `create schema app; create table app.t (id int primary key);
    create function app.f() returns trigger security definer set search_path = '' language plpgsql as 'begin return new; end';
    create trigger g before insert on app.t for each row execute function app.f();`;
  expect(await found(f)).toEqual(["WARNING app.f()"]);
  expect(await found(`${f} grant insert on app.t to ${caller.name}`)).toEqual(["ERROR app.f()"]);
});

test("the path that mends a function keeps its schemas, quoted as it has them", async () => {
  const [finding] = await findings(`create schema app;
    create function app."F"("A b" int) returns int security definer set search_path = pg_temp, "Odd, ""name", app language sql as 'select 1'`);
  expect(finding?.mend).toBe(
    `ALTER FUNCTION app."F"("A b" integer) SET search_path = pg_catalog, "Odd, ""name", app, pg_temp;`,
  );
});
