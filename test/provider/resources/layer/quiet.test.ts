import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { checked, inRun, layerRun, project, put, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const clients: pg.Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
});

/** Another session, ended after the test. */
async function session({ url }: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "another session" });
  clients.push(client);
  await client.connect();
  return client;
}

/**
 * Statement and transaction times of this many milliseconds are told apart by a look every few milliseconds.
 */
const LOOK_MS = 5;

interface Look {
  /** A session of ours runs SQL of the layer in the shadow, or reads a catalog. */
  atWork: boolean;
  /**
   * A session of ours has a transaction open that holds, or waits for, a lock on a table of the target that
   * makes others wait.
   */
  locking: boolean;
}

/** What our sessions are at, on the target and in the shadow, which lie on one server. */
const LOOK = `
  select exists (select from pg_stat_activity where application_name <> 'another session' and state = 'active' and pid <> pg_backend_pid()
                 and (datname <> current_database() and query ~ 'pg_sleep' or datname = current_database() and query ~ 'pg_get_|pg_attribute')) as "atWork",
         exists (select from pg_locks l join pg_stat_activity a on a.pid = l.pid join pg_class c on c.oid = l.relation
                  where l.database = (select oid from pg_database where datname = current_database()) and a.application_name = 'pgstrata'
                    and c.relkind in ('r', 'p') and c.relnamespace = 'shop'::regnamespace
                    and l.mode not in ('AccessShareLock', 'RowShareLock')) as locking`;

/** Looks all the time while `work` runs. */
async function watching(database: TestDatabase, work: () => Promise<unknown>): Promise<Look[]> {
  const client = await session(database);
  const looks: Look[] = [];
  let isDone = false;
  const looking = (async () => {
    while (!isDone) {
      looks.push(...(await client.query<Look>(LOOK)).rows);
      await sleep(LOOK_MS);
    }
  })();
  try {
    await work();
  } finally {
    isDone = true;
    await looking;
  }
  return looks;
}

const BASE = "create schema shop; create table shop.item (id int primary key, name text);";
/** In the shadow it takes longer than any pause between two tries. */
const SLOW = "do $$ begin perform pg_sleep(2); end $$;";

test("no table is locked while the shadow executes SQL or a catalog is read, also where layers are updated side by side", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  await database.query("insert into shop.item values (1, 'pen')");
  const other = await session(database);
  await other.query("begin; lock table shop.item in access share mode");
  const run = layerRun(database.url, { lockTimeoutMs: 300, lockRetries: 100 });
  try {
    const looks = await watching(database, async () => {
      const updating = put(run, project.layer("shop", `${BASE} alter table shop.item add column price int;`), state);
      // The update waits for its lock now and again while the shadow is desired for other layers.
      await expect.poll(() => run.said.infos.length, { timeout: 20_000 }).toBeGreaterThan(0);
      const others = ["one", "two"].map((name) => checked(run, project.layer(name, `${SLOW} create schema ${name};`)));
      await sleep(3000);
      await other.query("rollback");
      await Promise.all([updating, ...others]);
    });
    expect(looks.filter(({ atWork }) => atWork).length).toBeGreaterThan(20);
    expect(looks.filter(({ locking }) => locking).length).toBeGreaterThan(20);
    expect(looks.filter(({ atWork, locking }) => atWork && locking)).toEqual([]);
  } finally {
    await run.close();
  }
});

const UPDATING =
  "select from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())";

test("who waits for another update of the database has no transaction open", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  const other = await session(database);
  await other.query("begin; lock table shop.item in access share mode");
  const [first, second] = [layerRun(database.url, { lockRetries: 100 }), layerRun(database.url)];
  try {
    const updating = put(first, project.layer("shop", `${BASE} alter table shop.item add column price int;`), state);
    await expect.poll(async () => (await database.query(UPDATING)).length, { timeout: 20_000 }).toBe(1);
    const waiting = put(second, project.layer("elsewhere", "create schema elsewhere;"));
    await expect.poll(() => second.said.infos.length, { timeout: 20_000 }).toBe(1);
    const open = await database.query<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and application_name = 'pgstrata' and xact_start is not null and state <> 'active'",
    );
    expect(open).toEqual([]);
    await other.query("rollback");
    await Promise.all([updating, waiting]);
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
});

test("a step that makes nobody wait is itself patient with old transactions", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  await database.query("insert into shop.item values (1, 'pen')");
  const other = await session(database);
  await other.query("begin; insert into shop.item values (2, 'ink')");
  const run = layerRun(database.url, { lockTimeoutMs: 200, lockRetries: 0 });
  try {
    const indexing = put(run, project.layer("shop", `${BASE} create index item_by_name on shop.item (name);`), state);
    await sleep(1500);
    await database.query("update shop.item set name = 'pencil' where id = 1");
    await other.query("commit");
    await indexing;
    expect(run.said.infos).toEqual([]);
  } finally {
    await run.close();
  }
});

test("a catalog that cannot be read because of a lock is read again, and given up with a message that says what to do", async () => {
  const database = await freshDatabase();
  const viewed = `${BASE} create view shop.names as select name from shop.item;`;
  const state = await up(database.url, project.layer("shop", viewed));
  const other = await session(database);
  await other.query("begin; lock table shop.item in access exclusive mode");
  const looking = (lockLimitMs: number): Promise<string[]> =>
    inRun(
      database.url,
      async ({ layer, context }) => Object.keys((await layer.diff(context(), state, state.inputs)).detailed),
      { lockTimeoutMs: 100, lockLimitMs, lockRetries: 1000 },
    );
  await expect(looking(500)).rejects.toThrow(/another session holds a lock: .*Tried \d+ times[\s\S]*lockLimitMs/);
  const seen = looking(60_000);
  await sleep(500);
  await other.query("rollback");
  expect(await seen).toEqual([]);
});
