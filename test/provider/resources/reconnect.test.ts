import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { ask } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { inRun, pending, preview, project, put, sqlOf, up } from "../../support/layerHarness.ts";
import { type StatementProxy, startStatementProxy } from "../../support/statementProxy.ts";

const freshDatabase = freshDatabases();
const BASE = "create schema shop; create table shop.item (id int primary key, name text);";
const WIDER = `${BASE} alter table shop.item add price int; create table shop.sale (id int primary key);`;

let proxy: StatementProxy;
beforeAll(async () => {
  const { hostname, port } = new URL(inject("serverUrl"));
  proxy = await startStatementProxy({ host: hostname, port: Number(port) });
});
afterAll(() => proxy.close());

/** Drops the connection of the first statement like this, as a proxy does that has forgotten an idle one. */
function dropAt(statement: RegExp): () => number {
  let dropped = 0;
  proxy.restart(({ sql, side, connection }) => {
    if (side !== "before" || dropped > 0 || !statement.test(sql)) return;
    dropped += 1;
    connection.cut();
  });
  return () => dropped;
}

const tablesIn = async (url: string): Promise<unknown> =>
  (await ask(url, "select relname::text from pg_class where relnamespace = 'shop'::regnamespace and relkind = 'r'"))
    .map(({ relname }) => relname)
    .sort();

test.each([
  ["as the catalog is read", /^BEGIN ISOLATION LEVEL/],
  ["as a table's fact is read", /pg_get_indexdef/],
  ["before the lock against other updates", /pg_try_advisory_lock/],
  ["while that lock is held and nothing is changed", /reltuples/],
  ["just before the first change", /has_database_privilege/],
])("a connection that is dropped %s is opened again", async (_when, statement) => {
  const { url } = await freshDatabase();
  const state = await up(url, project.layer("shop", BASE));
  const dropped = dropAt(statement);
  const after = await up(proxy.url(url), project.layer("shop", WIDER), state);
  expect(dropped()).toBe(1);
  expect(await tablesIn(url)).toEqual(["item", "sale"]);
  expect(await pending(url, after)).toEqual([]);
});

test("a connection that is dropped in a preview is opened again", async () => {
  const { url } = await freshDatabase();
  const dropped = dropAt(/pg_get_viewdef/);
  const [plan] = await preview(proxy.url(url), [project.layer("shop", BASE)]);
  expect(dropped()).toBe(1);
  expect(sqlOf(plan)).toContain('CREATE SCHEMA "shop"');
});

test("a connection that is dropped within the changes undoes them, and is told with what may drop it", async () => {
  const { url } = await freshDatabase();
  const state = await up(url, project.layer("shop", BASE));
  const dropped = dropAt(/^lock table/);
  await expect(up(proxy.url(url), project.layer("shop", WIDER), state)).rejects.toThrow(
    /^the connection to the database was lost: .*nothing is left half done.*Proxies and firewalls drop connections/,
  );
  expect(dropped()).toBe(1);
  expect(await tablesIn(url)).toEqual(["item"]);
});

test("one that is dropped again and again is told as lost", async () => {
  const { url } = await freshDatabase();
  const state = await up(url, project.layer("shop", BASE));
  let dropped = 0;
  proxy.restart(({ sql, side, connection }) => {
    if (side !== "before" || !/reltuples/.test(sql)) return;
    dropped += 1;
    connection.cut();
  });
  await expect(up(proxy.url(url), project.layer("shop", WIDER), state)).rejects.toThrow(
    /^the connection to the database was lost: /,
  );
  expect(dropped).toBe(2);
});

test("a session that waits for the shadow outlives the server's limit for idle sessions", async () => {
  const { url, name, query } = await freshDatabase();
  await query(`alter database "${name}" set idle_session_timeout = '50ms'`);
  await inRun(url, async (run) => {
    await put(run, project.layer("shop", BASE));
    await sleep(300);
    await put(run, project.layer("other", "create schema other;"));
  });
  expect(await ask(url, "select nspname::text from pg_namespace where nspname in ('shop', 'other')")).toHaveLength(2);
});
