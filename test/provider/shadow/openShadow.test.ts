import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openDatabase } from "../../../provider/database/target.ts";
import { installedMajors, startEmbeddedServer } from "../../../provider/embedded/server.ts";
import { embeddedShadow } from "../../../provider/shadow/embedded.ts";
import { openShadow } from "../../../provider/shadow/openShadow.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";
import { pending, up } from "../../support/layerHarness.ts";
import { majorVersion } from "../../support/majorVersion.ts";
import { sqlProject } from "../../support/sqlProject.ts";

let database: TestDatabase;
let creator: TestRole;
let plain: TestRole;

beforeAll(async () => {
  database = await createTestDatabase();
  creator = await createTestRole({ prefix: "creator", attributes: "createdb" });
  plain = await createTestRole({ prefix: "plain" });
  await database.query(`grant create on database "${database.name}" to "${creator.name}", "${plain.name}"`);
});
afterAll(async () => {
  await database.drop();
  await creator.drop();
  await plain.drop();
});

/** Scratch databases that belong to the role. */
async function scratchOf({ name }: TestRole): Promise<unknown[]> {
  return database.query(
    "select datname from pg_database where datname like 'pgstrata\\_shadow%' and pg_get_userbyid(datdba) = $1",
    [name],
  );
}

/** A project directory of its own has an empty cache. */
const fresh = () => sqlProject();

test("a colocated shadow works for a role that may create databases, and drops them afterwards", async () => {
  const { directory, layer } = fresh();
  const options = { shadow: "colocated", directory } as const;
  const state = await up(
    database.urlFor(creator),
    layer("colocated", "create schema colocated; create table colocated.t (id int);"),
    undefined,
    options,
  );
  expect(state.outputs.objects).toEqual(["schema colocated", "table colocated.t"]);
  expect(await pending(database.urlFor(creator), state)).toEqual([]);
  expect(await scratchOf(creator)).toEqual([]);
});

test("a colocated shadow drops its databases after an error, too", async () => {
  const { directory, layer } = fresh();
  const options = { shadow: "colocated", directory } as const;
  await expect(
    up(database.urlFor(creator), layer("failing", "create schema failing; create tabel x;"), undefined, options),
  ).rejects.toThrow("failing.sql:1:");
  expect(await scratchOf(creator)).toEqual([]);
});

test("a colocated shadow drops what a killed run has left a day ago, and nothing that may be in use", async () => {
  const { directory, layer } = fresh();
  const day = 24 * 3_600_000;
  const named = (age: number, own: string) => `pgstrata_shadow_${Date.now() - age}_${own.repeat(16)}`;
  const [left, inUse, recent] = [named(2 * day, "a"), named(2 * day, "b"), named(day / 2, "c")];
  for (const name of [left, inUse, recent]) await database.query(`create database ${name} owner "${creator.name}"`);
  const session = new pg.Client({ connectionString: database.urlFor(creator).replace(database.name, inUse) });
  await session.connect();
  try {
    const options = { shadow: "colocated", directory } as const;
    await up(database.urlFor(creator), layer("swept", "create schema swept;"), undefined, options);
    expect((await scratchOf(creator)).map((row) => Object(row).datname).sort()).toEqual([inUse, recent].sort());
  } finally {
    await session.end();
    for (const name of [left, inUse, recent]) await database.query(`drop database if exists ${name}`);
  }
});

test("a colocated shadow is refused to a role that may not create databases, with the ways out", async () => {
  const { directory, layer } = fresh();
  await expect(
    up(database.urlFor(plain), layer("plain", "create schema plain;"), undefined, { shadow: "colocated", directory }),
  ).rejects.toThrow(/may not create databases.*CREATEDB \(`alter role … createdb`\).*`embedded`.*URL/);
});

test("a colocated shadow makes no roles: one that the server lacks is named", async () => {
  const { directory, layer } = fresh();
  const properties = layer("roles", "create schema roles; grant usage on schema roles to nobody_yet;", {
    roles: ["nobody_yet", creator.name],
  });
  await expect(up(database.urlFor(creator), properties, undefined, { shadow: "colocated", directory })).rejects.toThrow(
    /names the roles nobody_yet, which the server does not have.*AccessRoles.*`embedded`/,
  );
  expect(await database.query("select from pg_roles where rolname = 'nobody_yet'")).toEqual([]);
  expect(await scratchOf(creator)).toEqual([]);
});

test("an embedded shadow may have any role, needs no right on the target, and leaves nothing there", async () => {
  const { directory, layer } = fresh();
  const sql = "create schema embedded; create table embedded.t (id int); revoke all on schema embedded from public;";
  const state = await up(database.urlFor(plain), layer("embedded", sql, { roles: ["nobody_yet"] }), undefined, {
    shadow: "embedded",
    directory,
  });
  expect(state.outputs.objects).toEqual(["schema embedded", "table embedded.t"]);
  expect(
    await database.query(
      "select schemaowner from (select pg_get_userbyid(nspowner) as schemaowner from pg_namespace where nspname = 'embedded') s",
    ),
  ).toEqual([{ schemaowner: plain.name }]);
  expect(await pending(database.urlFor(plain), state)).toEqual([]);
  expect(await scratchOf(plain)).toEqual([]);
  expect(await database.query("select from pg_roles where rolname = 'nobody_yet'")).toEqual([]);
});

test("an embedded shadow keeps its data directory, and drops what an earlier process left in it", async () => {
  const directory = join(fresh().directory, "shadow");
  const version = `${majorVersion}.0`;
  const needs = { owner: "owner_of_target", roles: ["role_of_sql"] };
  const first = embeddedShadow(directory, majorVersion, version);
  const scratch = await first.create(needs);
  expect((await scratch.pool.query("select current_user::text, session_user::text")).rows).toEqual([
    { current_user: "owner_of_target", session_user: "owner_of_target" },
  ]);
  await scratch.drop();
  await first.stop();
  const kept = readdirSync(directory);
  const second = embeddedShadow(directory, majorVersion, version);
  const { pool, drop } = await second.create({ owner: "other", roles: [] });
  const { rows } = await pool.query(
    "select array(select datname::text from pg_database where datname like 'shadow%') as databases, array(select rolname::text from pg_roles where rolname !~ '^pg_' order by 1) as roles",
  );
  expect(rows).toEqual([{ databases: [expect.stringMatching(/^shadow_\d+_1$/)], roles: ["other", "postgres"] }]);
  await drop();
  await second.stop();
  expect(readdirSync(directory)).toEqual(kept);
});

test("SQL that names an unlisted role is refused in an embedded shadow with what to add", async () => {
  const { directory, layer } = fresh();
  const properties = layer("unlisted", "create schema unlisted; grant usage on schema unlisted to nobody_yet;");
  await expect(up(database.url, properties, undefined, { shadow: "embedded", directory })).rejects.toThrow(
    /unlisted\.sql:1:25: role "nobody_yet" does not exist[\s\S]*add "nobody_yet" to its `roles`/,
  );
});

test("a shadow by URL whose role is another than the target's plans no change of owners", async () => {
  const { directory, layer } = fresh();
  const url = database.urlFor(plain);
  const sql =
    "create schema by_url; create table by_url.t (id int); create function by_url.f() returns int language sql as 'select 1'; revoke all on function by_url.f() from public;";
  const state = await up(url, layer("byUrl", sql), undefined, { shadow: { url: inject("serverUrl") }, directory });
  expect(await database.query("select tableowner from pg_tables where schemaname = 'by_url'")).toEqual([
    { tableowner: plain.name },
  ]);
  expect(await pending(url, state)).toEqual([]);
});

test("a shadow by URL of another major version is refused with both versions", async () => {
  const other = installedMajors().find((major) => major !== majorVersion);
  expect(other, "a second major version is installed").toBeDefined();
  const { directory, layer } = fresh();
  const server = await startEmbeddedServer({ directory: join(directory, "other"), majorVersion: other ?? 0 });
  try {
    await expect(
      up(database.url, layer("other", "create schema other;"), undefined, {
        shadow: { url: server.url("postgres") },
        directory,
      }),
    ).rejects.toThrow(
      new RegExp(
        `Found PostgreSQL ${other}\\..* at the provider's .shadow. URL, expected the target's major version ${majorVersion}`,
      ),
    );
  } finally {
    await server.stop();
  }
});

for (const [what, change, fault] of [
  ["at which nobody answers", (url: URL) => (url.port = "1"), /nothing accepts connections/],
  ["with a wrong password", (url: URL) => (url.password = "canary-password"), /rejects the password/],
  ["of a database that is not there", (url: URL) => (url.pathname = "/nowhere"), /no database "nowhere"/],
] as const) {
  test(`a shadow by URL ${what} is refused, says that it is the shadow, and shows no password`, async () => {
    const url = new URL(inject("serverUrl"));
    change(url);
    const { directory, layer } = fresh();
    const message = await up(database.url, layer("unreachable", "create schema unreachable;"), undefined, {
      shadow: { url: url.href },
      directory,
    }).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(message).toMatch(fault);
    expect(message).toContain("The provider's `shadow`");
    expect(message).not.toContain(url.password);
    expect(message).not.toContain("canary");
  });
}

test("a target of a version without an embedded server is refused in embedded mode, and colocated in auto mode", async () => {
  const target = openDatabase({ url: database.url });
  if (target === undefined) throw new Error("no target");
  const oldest = { ...target, facts: async () => ({ ...(await target.facts()), major: 14, version: "14.9" }) };
  await expect(openShadow("embedded", oldest, "nowhere")).rejects.toThrow(
    /Found a target of PostgreSQL 14, but embedded servers of [\d, ]+ only\. .*`colocated`/,
  );
  expect((await openShadow("auto", oldest, "nowhere")).identity).toBe("colocated 14.9");
  expect((await openShadow("auto", target, "nowhere")).identity).toMatch(new RegExp(`^embedded ${majorVersion}\\.`));
  await target.close();
});

test("a run that finds everything in its cache starts no shadow at all", async () => {
  const { directory, layer } = fresh();
  const properties = layer("cached", "create schema cached;");
  const options = { shadow: "embedded", directory } as const;
  const state = await up(database.url, properties, undefined, options);
  await database.query("drop schema cached");
  const home = join(directory, ".pgstrata");
  expect(readdirSync(home).sort()).toEqual(["cache", "shadow"]);
  const moved = fresh();
  mkdirSync(join(moved.directory, ".pgstrata", "cache"), { recursive: true });
  cpSync(join(home, "cache"), join(moved.directory, ".pgstrata", "cache"), { recursive: true });
  writeFileSync(join(moved.directory, "cached.sql"), "create schema cached;");
  await up(database.url, properties, state, { shadow: "embedded", directory: moved.directory });
  expect(readdirSync(join(moved.directory, ".pgstrata"))).toEqual(["cache"]);
  expect(await database.query("select from pg_namespace where nspname = 'cached'")).toHaveLength(1);
});

test("a connection to the scratch database that the server cuts does not end the process", async () => {
  const shadow = await openShadow({ url: inject("serverUrl") }, undefined, "nowhere");
  const scratch = await shadow.create({ owner: "postgres", roles: [] });
  await scratch.pool.query("select 1");
  const killer = new pg.Client(inject("serverUrl"));
  await killer.connect();
  await killer.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'pgstrata\\_shadow%' and pid <> pg_backend_pid() and query = 'select 1'",
  );
  await killer.end();
  await expect
    .poll(async () => (await scratch.pool.query("select 2 as two").catch(() => undefined))?.rows)
    .toEqual([{ two: 2 }]);
  await scratch.drop();
  await shadow.stop();
});
