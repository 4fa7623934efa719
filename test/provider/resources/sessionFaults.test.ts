import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import type { ResourceState } from "../../../provider/core/resourceType.ts";
import { createTestRole, type TestDatabase } from "../../support/database.ts";
import { freshDatabases, relationsIn } from "../../support/freshDatabases.ts";
import { pending, project, up } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();
const BASE = "create schema shop; create table shop.item (id int primary key, name text);";
const WIDER = `${BASE} alter table shop.item add price int; create table shop.sale (id int primary key);`;

async function stocked(sql = BASE): Promise<{ database: TestDatabase; state: ResourceState }> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", sql));
  await database.query("insert into shop.item select n, 'item ' || n from generate_series(1, 100) as n");
  return { database, state };
}

/** The update as a whole, now that nothing is in its way. */
async function expectConverges({ url }: TestDatabase, state: ResourceState, sql = WIDER): Promise<void> {
  const after = await up(url, project.layer("shop", sql), state);
  expect(await pending(url, after)).toEqual([]);
}

test("a lock that another session never gives back ends the update with the table's name, and nothing is changed", async () => {
  const { database, state } = await stocked();
  const client = new pg.Client(database.url);
  await client.connect();
  await client.query("begin; lock table shop.item in access exclusive mode");
  const limits = { lockTimeoutMs: 100, lockRetries: 1 };
  await expect(up(database.url, project.layer("shop", WIDER), state, limits)).rejects.toThrow(
    /lock.*"?shop"?\."?item"?/s,
  );
  await client.query("rollback");
  await client.end();
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  await expectConverges(database, state);
});

test("a statement that runs into the statement timeout is undone with all before it, and the limit is named", async () => {
  const slow =
    "create function shop.slow(id int) returns boolean language plpgsql immutable set search_path = '' as 'begin perform pg_catalog.pg_sleep(0.05); return true; end';";
  const { database, state } = await stocked(`${BASE} ${slow}`);
  const checked = `${BASE} ${slow} create table shop.sale (id int primary key); alter table shop.item add constraint slow check (shop.slow(id));`;
  // A statement that checks rows has the longer limit; it may wait for its lock on top.
  const limits = { longStatementTimeoutMs: 500, lockTimeoutMs: 100, lockLimitMs: 100 };
  await expect(up(database.url, project.layer("shop", checked), state, limits)).rejects.toThrow(
    /statement timeout[\s\S]*longStatementTimeoutMs/,
  );
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  await expectConverges(database, state, checked);
});

test("a statement that an administrator cancels is not blamed on a time limit", async () => {
  const slow =
    "create function shop.slow(id int) returns boolean language plpgsql immutable set search_path = '' as 'begin perform pg_catalog.pg_sleep(0.05); return true; end';";
  const { database, state } = await stocked(`${BASE} ${slow}`);
  const checked = `${BASE} ${slow} alter table shop.item add constraint slow check (shop.slow(id));`;
  const failing = expect(up(database.url, project.layer("shop", checked), state)).rejects.toThrow(
    /an administrator cancelled/,
  );
  const cancel =
    "select pg_cancel_backend(pid) as done from pg_stat_activity where query like '%VALIDATE CONSTRAINT%' and state = 'active' and datname = current_database() and pid <> pg_backend_pid()";
  await expect.poll(async () => (await database.query(cancel)).length, { timeout: 10_000 }).toBe(1);
  await failing;
  await expectConverges(database, state, checked);
});

const role = await createTestRole({ prefix: "limited" });
afterAll(() => role.drop());

test("a role that may not open enough connections is told so, and the next update goes through", async () => {
  const database = await freshDatabase();
  await database.query(`alter database ${quoteIdent(database.name)} owner to ${role.name}`);
  const url = database.urlFor(role);
  const state = await up(url, project.layer("shop", BASE));
  for (const limit of [0, 1]) {
    await database.query(`alter role ${role.name} connection limit ${limit}`);
    await expect(up(url, project.layer("shop", WIDER), state)).rejects.toThrow("too many connections");
    expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  }
  await database.query(`alter role ${role.name} connection limit -1`);
  const after = await up(url, project.layer("shop", WIDER), state);
  expect(await pending(url, after)).toEqual([]);
  await database.query(`drop owned by ${role.name} cascade`);
  await database.query(`alter database ${quoteIdent(database.name)} owner to postgres`);
});

test("a database that is set read-only refuses the update, and says how it may have come", async () => {
  const { database, state } = await stocked();
  await database.query(`alter database ${quoteIdent(database.name)} set default_transaction_read_only = on`);
  await expect(up(database.url, project.layer("shop", WIDER), state)).rejects.toThrow(
    /read-only: .*default_transaction_read_only/,
  );
  const client = new pg.Client(database.url);
  await client.connect();
  await client.query("set default_transaction_read_only = off");
  await client.query(`alter database ${quoteIdent(database.name)} reset default_transaction_read_only`);
  await client.end();
  await expectConverges(database, state);
});
