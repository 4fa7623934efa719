import pg from "pg";
import { afterEach, expect, test } from "vitest";
import type { Reporter } from "../../../../provider/core/resourceType.ts";
import { withDatabaseLock } from "../../../../provider/database/updateLock.ts";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { checked, inRun, layerRun, pending, project, put, ROWS_UNASKED, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const clients: pg.Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
});

/** Another session, ended after the test. */
async function session({ url }: TestDatabase, application = "another session"): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: application });
  client.on("error", () => {});
  clients.push(client);
  await client.connect();
  return client;
}

const HERE = "database = (select oid from pg_database where datname = current_database())";
const LOCK_HELD = `select from pg_locks where locktype = 'advisory' and granted and ${HERE}`;
const LOCK_WAITED_FOR = `select from pg_locks where not granted and ${HERE}`;

const BASE = "create schema shop; create table shop.item (id int primary key, name text);";
const WIDER = `${BASE} alter table shop.item add column price int; create table shop.tag (id int);`;

test("a statement that fails in the middle leaves nothing of the update, and is named with its SQLSTATE", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  await database.query("insert into shop.item values (1, 'pen')");
  const failing = `${BASE} create table shop.tag (id int); create materialized view shop.ratio as select 10 / (id - 1) as n from shop.item; create view shop.ratios as select n from shop.ratio;`;
  await expect(up(database.url, project.layer("shop", failing), state, ROWS_UNASKED)).rejects.toThrow(
    /The server refused materialized view shop\.ratio: division by zero \(SQLSTATE 22012\)[\s\S]*CREATE MATERIALIZED VIEW[\s\S]*nothing was changed/,
  );
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  expect(await pending(database.url, state)).toEqual([]);
});

test("a unique constraint that existing rows violate is refused by name, and no half of it stays", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  await database.query("insert into shop.item values (1, 'pen'), (2, 'pen')");
  const strict = project.layer("shop", `${BASE} alter table shop.item add constraint item_once unique (name);`);
  await expect(up(database.url, strict, state, ROWS_UNASKED)).rejects.toThrow(
    /The server refused constraint item_once on shop\.item: .*item_once.*\(SQLSTATE 23505\)[\s\S]*The statement was/,
  );
  expect(await database.query("select from pg_constraint where conname = 'item_once'")).toEqual([]);
  await database.query("delete from shop.item where id = 2");
  const done = await up(database.url, strict, state);
  expect(await pending(database.url, done)).toEqual([]);
  expect(await database.query("select from pg_index where not indisvalid")).toEqual([]);
});

test("the values of the rows that are in the way do not show", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  await database.query("insert into shop.item values (1, 'very-private'), (2, 'very-private')");
  const strict = project.layer("shop", `${BASE} create unique index item_once on shop.item (name);`);
  const message = await up(database.url, strict, state, ROWS_UNASKED).then(
    () => "",
    (error: Error) => error.message,
  );
  expect(message).toContain("23505");
  expect(message).not.toContain("very-private");
});

test("an object of another kind that is in the way is refused by name, and nothing is changed", async () => {
  const database = await freshDatabase();
  await database.query("create schema shop; create view shop.item as select 1 as id");
  await expect(up(database.url, project.layer("shop", WIDER))).rejects.toThrow(
    /table shop\.item[\s\S]*(SQLSTATE 42P07|exists)/,
  );
  expect(await relationsIn(database, "shop")).toEqual(["item"]);
});

test("an update that needs a lock which another session holds tries again and succeeds when it is released", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  const other = await session(database);
  await other.query("begin; lock table shop.item in access exclusive mode");
  const said = await inRun(
    database.url,
    async (run) => {
      const updating = put(run, project.layer("shop", WIDER), state);
      await expect
        .poll(() => run.said.infos.join("\n"), { timeout: 10_000 })
        .toContain("nothing was changed; try 2 follows");
      await other.query("rollback");
      await updating;
      return run.said;
    },
    { lockTimeoutMs: 200, lockRetries: 20 },
  );
  expect(said.infos[0]).toMatch(
    /^another session holds a lock \(process \d+ of role postgres from 127\.0\.0\.1, another session, idle in transaction, transaction open for \d s\); nothing was changed; try 2 follows, for at most 120 s$/,
  );
  expect(await relationsIn(database, "shop")).toContain("tag");
});

test("an update gives up when the lock is not released, says who holds it and what was tried, and nothing is changed", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  const other = await session(database);
  await other.query("begin; lock table shop.item in access exclusive mode");
  const failing = (limits: { lockLimitMs?: number; lockRetries: number }): Promise<unknown> =>
    up(database.url, project.layer("shop", WIDER), state, { lockTimeoutMs: 100, ...limits });
  await expect(failing({ lockRetries: 1 })).rejects.toThrow(
    /another session holds a lock \(process \d+ of role postgres .*another session, idle in transaction.*\): canceling statement due to lock timeout .*"shop"\."item".*\. Tried 2 times in \d s, each waiting at most 100 ms for a lock; nothing was changed/,
  );
  const started = performance.now();
  await expect(failing({ lockLimitMs: 1500, lockRetries: 1000 })).rejects.toThrow(/Tried \d+ times in \d+ s/);
  expect(performance.now() - started).toBeGreaterThan(1500);
  await other.query("rollback");
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
});

test("rows that come while an update waits for a lock keep their table from being dropped", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  const other = await session(database);
  await other.query("begin; insert into shop.item values (1, 'late')");
  await inRun(database.url, async (run) => {
    const updating = put(run, project.layer("shop", "create schema shop;"), state);
    const rejected = expect(updating).rejects.toThrow("Refused to drop what holds rows: table shop.item.");
    await expect.poll(async () => (await database.query(LOCK_WAITED_FOR)).length, { timeout: 10_000 }).toBe(1);
    await other.query("commit");
    await rejected;
  });
  expect(await database.query("select name from shop.item")).toEqual([{ name: "late" }]);
});

test("a cancelled update ends its waiting and changes nothing", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", BASE));
  const other = await session(database);
  await other.query("begin; lock table shop.item in access exclusive mode");
  await inRun(
    database.url,
    async (run) => {
      const updating = put(run, project.layer("shop", WIDER), state);
      const rejected = expect(updating).rejects.toThrow("cancelled by the test");
      await expect.poll(() => run.said.infos.length, { timeout: 10_000 }).toBeGreaterThan(0);
      run.abort(new Error("cancelled by the test"));
      await rejected;
    },
    { lockTimeoutMs: 100, lockRetries: 100 },
  );
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
});

test("a second update of one database waits for the first and says who it is", async () => {
  const database = await freshDatabase();
  const first = layerRun(database.url);
  const second = layerRun(database.url);
  const other = await session(database);
  try {
    const state = await put(first, project.layer("shop", BASE));
    await other.query("begin; lock table shop.item in access exclusive mode");
    const updating = put(first, project.layer("shop", WIDER), state);
    await expect.poll(async () => (await database.query(LOCK_HELD)).length, { timeout: 10_000 }).toBe(1);
    const creating = put(
      second,
      project.layer("elsewhere", "create schema elsewhere; create table elsewhere.t (id int);"),
    );
    await expect.poll(() => second.said.infos.length, { timeout: 10_000 }).toBe(1);
    expect(second.said.infos[0]).toMatch(
      /^another update of this database is running \(process \d+ of role \w+ from (127\.0\.0\.1|local), pgstrata, connected for \d+ s\); waiting for it$/,
    );
    expect(await relationsIn(database, "elsewhere")).toEqual([]);
    await other.query("rollback");
    await Promise.all([updating, creating]);
    expect(await relationsIn(database, "elsewhere")).toEqual(["t"]);
    expect(second.said.infos).toHaveLength(1);
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
});

test("an update of another database of the same server does not wait", async () => {
  const [database, another] = [await freshDatabase(), await freshDatabase()];
  const other = await session(database, "pgstrata");
  const key = /LOCK_KEY = "(\d+)"/.exec(
    (await import("node:fs")).readFileSync("provider/database/updateLock.ts", "utf8"),
  )?.[1];
  await other.query(`select pg_advisory_lock(${key})`);
  await up(another.url, project.layer("elsewhere", "create schema elsewhere;"));
  expect(await another.query("select from pg_namespace where nspname = 'elsewhere'")).toHaveLength(1);
});

test("the lock goes with the connection of an update that dies", async () => {
  const database = await freshDatabase();
  const run = layerRun(database.url);
  const other = await session(database);
  try {
    const state = await put(run, project.layer("shop", BASE));
    await other.query("begin; lock table shop.item in access exclusive mode");
    const updating = put(run, project.layer("shop", WIDER), state).then(
      () => "done",
      (error: Error) => error.message,
    );
    await expect.poll(async () => (await database.query(LOCK_WAITED_FOR)).length, { timeout: 10_000 }).toBe(1);
    await database.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and ${HERE}`,
    );
    expect(await updating).not.toBe("done");
    await other.query("rollback");
  } finally {
    await run.close();
  }
  expect(await database.query(LOCK_HELD)).toEqual([]);
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
  const state = await up(database.url, project.layer("shop", WIDER));
  expect(await pending(database.url, state)).toEqual([]);
});

/** Collects what is said. */
function listener(): { report: Reporter; infos: string[] } {
  const infos: string[] = [];
  return {
    infos,
    report: { info: (text) => void infos.push(text), warn: () => {}, status: () => {}, plan: async () => {} },
  };
}

test("who waits too long for another update is told who holds the lock", async () => {
  const database = await freshDatabase();
  const [holder, waiter] = [await database.pool.connect(), await database.pool.connect()];
  const never = new AbortController().signal;
  try {
    const { report, infos } = listener();
    await withDatabaseLock(holder, report, never, async () => {
      await expect(
        withDatabaseLock(waiter, report, never, async () => "entered", { limitMs: 50, pollMs: 20 }),
      ).rejects.toThrow(/Waited 0 s for another update of this database: process \d+ of role .* Nothing was changed\./);
    });
    expect(infos).toHaveLength(1);
    expect(await withDatabaseLock(waiter, report, never, async () => "entered")).toBe("entered");
  } finally {
    holder.release();
    waiter.release();
  }
});

test("the lock is released when its task fails", async () => {
  const database = await freshDatabase();
  const client = await database.pool.connect();
  try {
    const { report } = listener();
    const failing = withDatabaseLock(client, report, new AbortController().signal, async () => {
      expect(await database.query(LOCK_HELD)).toHaveLength(1);
      throw new Error("the task failed");
    });
    await expect(failing).rejects.toThrow("the task failed");
    expect(await database.query(LOCK_HELD)).toEqual([]);
  } finally {
    client.release();
  }
});

test("a waiting update that is cancelled stops waiting", async () => {
  const database = await freshDatabase();
  const [holder, waiter] = [await database.pool.connect(), await database.pool.connect()];
  const cancel = new AbortController();
  try {
    const { report } = listener();
    await withDatabaseLock(holder, report, cancel.signal, async () => {
      const waiting = withDatabaseLock(waiter, report, cancel.signal, async () => "entered", {
        limitMs: 60_000,
        pollMs: 10,
      });
      cancel.abort(new Error("cancelled by the test"));
      await expect(waiting).rejects.toThrow("cancelled by the test");
    });
  } finally {
    holder.release();
    waiter.release();
  }
});

test("an enum value that needs a commit in between and a later statement that fails do not claim that nothing was changed", async () => {
  const database = await freshDatabase();
  const enumBase =
    "create schema shop; create type shop.size as enum ('small'); create table shop.item (id int, size shop.size default 'small', name text);";
  const state = await up(database.url, project.layer("sizes", enumBase));
  await database.query("insert into shop.item (id, name) values (1, 'pen'), (2, 'pen')");
  const next = `${enumBase.replace("('small')", "('small', 'large')")} alter table shop.item alter column size set default 'large'; create unique index item_once on shop.item (name);`;
  const message = await up(database.url, project.layer("sizes", next), state, ROWS_UNASKED).then(
    () => "",
    (error: Error) => error.message,
  );
  expect(message).toContain("23505");
  const [{ values } = { values: [] }] = await database.query<{ values: string[] }>(
    "select enum_range(null::shop.size)::text[] as values",
  );
  expect(message.includes("nothing was changed")).toBe(values.length === 1);
  // The database is whole and the same update goes through once its obstacle is gone.
  await database.query("delete from shop.item where id = 2");
  const done = await up(database.url, project.layer("sizes", next), state);
  expect(await pending(database.url, done)).toEqual([]);
});

test("two layers that are updated at the same time in one run take turns", async () => {
  const database = await freshDatabase();
  await inRun(database.url, async (run) => {
    const inputs = await Promise.all(
      ["one", "two", "three"].map((name) =>
        checked(run, project.layer(name, `create schema ${name}; create table ${name}.t (id int);`)),
      ),
    );
    const states = await Promise.all(
      inputs.map(async (news) => ({
        id: "",
        inputs: news,
        outputs: (await run.layer.create(run.context(), news)).outputs,
      })),
    );
    for (const state of states) {
      expect(state.outputs.adopted).toEqual([]);
      expect(Object.keys((await run.layer.diff(run.context(), state, state.inputs)).detailed)).toEqual([]);
    }
  });
  for (const name of ["one", "two", "three"]) expect(await relationsIn(database, name)).toEqual(["t"]);
});
