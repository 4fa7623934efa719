import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import { createTestRole } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { project, up } from "../../support/layerHarness.ts";

const [superuser, owner] = await Promise.all([
  createTestRole({ prefix: "settings", attributes: "superuser" }),
  createTestRole({ prefix: "owner", attributes: "createdb" }),
]);
afterAll(() => Promise.all([superuser.drop(), owner.drop()]));
const freshDatabase = freshDatabases();

/** What a role has, and what a session of ours has all the same. */
const SETTINGS = [
  ["search_path", "public, pg_catalog", "pg_catalog, pg_temp"],
  ["standard_conforming_strings", "off", "on"],
  ["transform_null_equals", "on", "off"],
  ["array_nulls", "off", "on"],
  ["xmloption", "document", "content"],
  ["bytea_output", "escape", "hex"],
  ["extra_float_digits", "-5", "1"],
  ["row_security", "off", "on"],
  ["check_function_bodies", "off", "on"],
  ["idle_session_timeout", "1d", "0"],
  ["default_transaction_isolation", "serializable", "read committed"],
  ["session_replication_role", "replica", "origin"],
] as const;

test("settings that change what our statements mean are ours in each connection, whatever the role has", async () => {
  const { urlFor, query } = await freshDatabase();
  const set = (name: string, value: string) =>
    query(`alter role ${quoteIdent(superuser.name)} set ${name} = ${name === "search_path" ? value : `'${value}'`}`);
  for (const [name, value] of SETTINGS) await set(name, value);
  const database = openDatabase({ url: urlFor(superuser) });
  if (database === undefined) throw new Error("a URL was given");
  try {
    const client = new pg.Client({ connectionString: urlFor(superuser) });
    await client.connect();
    const shown = async (session: Pick<pg.ClientBase, "query">): Promise<unknown[]> => {
      const values: unknown[] = [];
      for (const [name] of SETTINGS)
        values.push((await session.query(`select pg_catalog.current_setting('${name}') as value`)).rows[0]?.value);
      return values;
    };
    expect(await shown(client)).toEqual(SETTINGS.map(([, value]) => value));
    await client.end();
    const pool = await database.pool();
    const sessions = await Promise.all([pool.connect(), pool.connect()]);
    const found = await Promise.all(sessions.map(shown));
    for (const session of sessions) session.release();
    for (const values of found) expect(values).toEqual(SETTINGS.map(([, , value]) => value));
  } finally {
    await database.close();
  }
});

test("a role whose sessions leave out triggers and foreign keys, and which may not change that, is refused", async () => {
  const { urlFor, query } = await freshDatabase();
  const alter = `alter role ${quoteIdent(owner.name)}`;
  await query(`${alter} set session_replication_role = replica`);
  const database = openDatabase({ url: urlFor(owner) });
  await expect(database?.pool()).rejects.toThrow("session_replication_role = replica, expected origin");
  await query(`${alter} reset session_replication_role`);
  await database?.pool();
  await database?.close();
});

test("rows that come while a lock is waited for are seen, also where transactions are repeatable read", async () => {
  const { url, query } = await freshDatabase();
  const isolated = `${url}?options=${encodeURIComponent("-c default_transaction_isolation=repeatable\\ read")}`;
  const wide = "create schema shop; create table shop.item (id int primary key, name text);";
  const state = await up(isolated, project.layer("shop", wide));
  const client = new pg.Client(url);
  await client.connect();
  await client.query("begin; insert into shop.item values (1, 'kept')");
  const narrow = "create schema shop; create table shop.item (id int primary key);";
  const dropping = expect(up(isolated, project.layer("shop", narrow), state)).rejects.toThrow(
    /Refused to drop what holds rows/,
  );
  const isWaiting = "select from pg_locks where not granted and relation = 'shop.item'::regclass";
  await expect.poll(async () => (await query(isWaiting)).length, { timeout: 10_000 }).toBeGreaterThan(0);
  await client.query("commit");
  await client.end();
  await dropping;
  expect(await query("select name from shop.item")).toEqual([{ name: "kept" }]);
});
