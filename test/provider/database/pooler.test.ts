import pg from "pg";
import { afterAll, afterEach, describe, expect, inject, test } from "vitest";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { createTestRole } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { checked, inRun, pending, project, up } from "../../support/layerHarness.ts";
import { findPgBouncer, type Pooler, startPooler } from "../../support/pgbouncer.ts";

const freshDatabase = freshDatabases();
const BASE = "create schema shop; create table shop.item (id int primary key, name text);";
const WIDER = `${BASE} alter table shop.item add price int; create index on shop.item (name);`;

const found = findPgBouncer();
if (found === undefined)
  console.warn("no PgBouncer: install Debian's pgbouncer, or let apt-get reach an archive, to run its tests");
afterAll(() => found?.remove());

const running: Pooler[] = [];
afterEach(async () => {
  for (const pooler of running.splice(0)) await pooler.stop();
});

/** @param login a URL of the server with the role that it lets in. */
async function pooler(settings: Readonly<Record<string, string>>, login = inject("serverUrl")): Promise<Pooler> {
  if (found === undefined) throw new Error("no PgBouncer");
  const started = await startPooler(found, login, settings);
  running.push(started);
  return started;
}

/** What sessions of a database hold and have of ours. */
const LEFT_BEHIND = `
  select (select count(*)::int from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())) as locks,
         current_setting('search_path') as path, current_setting('default_transaction_isolation') as isolation,
         current_setting('lock_timeout') as timeout, current_setting('log_parameter_max_length') as logged`;

describe.skipIf(found === undefined)("by way of PgBouncer", () => {
  test.each(["transaction", "statement"])(
    "in %s mode a preview and an update are refused, with what to name instead, and leave nothing behind",
    async (mode) => {
      const database = await freshDatabase();
      const { url, port } = await pooler({ pool_mode: mode });
      const address = url(database.url);
      for (const preview of [true, false]) {
        const inputs = await inRun(database.url, (run) => checked(run, project.layer("shop", BASE)));
        const made = inRun(address, ({ layer, context }) => layer.create(context(preview), inputs));
        const message = new RegExp(`^127\\.0\\.0\\.1:${port} is a connection pooler .*transaction mode.*Nothing was`);
        await expect(made).rejects.toMatchObject({ code: "PS511", message: expect.stringMatching(message) });
      }
      expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
      // The next client gets the sessions that we had.
      const client = new pg.Client(address);
      await client.connect();
      expect((await client.query(LEFT_BEHIND)).rows).toEqual(await database.query(LEFT_BEHIND));
      await client.end();
    },
  );

  test("in transaction mode it is recognised under load, too", async () => {
    const database = await freshDatabase();
    const { url } = await pooler({ pool_mode: "transaction", server_round_robin: "1" });
    const clients = Array.from({ length: 8 }, () => new pg.Client(url(database.url)));
    await Promise.all(clients.map((client) => client.connect()));
    let stop = false;
    const load = clients.map(async (client) => {
      while (!stop) await client.query("select pg_sleep(0.001 * random())");
    });
    for (let time = 0; time < 5; time++)
      await expect(up(url(database.url), project.layer("shop", BASE))).rejects.toThrow("is a connection pooler");
    stop = true;
    await Promise.all(load);
    await Promise.all(clients.map((client) => client.end()));
    expect(await database.query(LEFT_BEHIND)).toMatchObject([{ locks: 0 }]);
  });

  test("in session mode updates work, each with its own settings and lock, and leave nothing behind", async () => {
    const database = await freshDatabase();
    const { url } = await pooler({ pool_mode: "session", default_pool_size: "5" });
    const address = url(database.url);
    await database.query(`alter database ${quoteIdent(database.name)} set search_path = public`);
    const state = await up(address, project.layer("shop", BASE));
    await database.query("insert into shop.item select n, 'item ' || n from generate_series(1, 100) as n");
    const after = await up(address, project.layer("shop", WIDER), state);
    expect(await pending(address, after)).toEqual([]);
    expect(await database.query("select count(*)::int as rows from shop.item where price is null")).toEqual([
      { rows: 100 },
    ]);
    const client = new pg.Client(address);
    await client.connect();
    expect((await client.query(LEFT_BEHIND)).rows).toMatchObject([{ locks: 0, path: "public", timeout: "0" }]);
    await client.end();
  });

  test("in session mode a shadow may be on the same server, and is gone afterwards", async () => {
    const database = await freshDatabase();
    const { name, ...owner } = await createTestRole({ prefix: "pooled", attributes: "createdb" });
    await database.query(`alter database ${quoteIdent(database.name)} owner to ${quoteIdent(name)}`);
    const address = database.urlFor({ name, ...owner });
    const { url } = await pooler({ pool_mode: "session" }, address);
    await up(url(address), project.layer("shop", BASE), undefined, { shadow: "colocated" });
    const owned = await database.query("select datname from pg_database where pg_get_userbyid(datdba) = $1", [name]);
    expect(owned).toEqual([{ datname: database.name }]);
    await database.query(`alter database ${quoteIdent(database.name)} owner to postgres`);
    await database.query(`drop owned by ${quoteIdent(name)} cascade`);
    await owner.drop();
  });

  test("in session mode with too small a pool it says so, before anything is changed", {
    timeout: 30_000,
  }, async () => {
    const database = await freshDatabase();
    const { url } = await pooler({ pool_mode: "session", default_pool_size: "1" });
    await expect(up(url(database.url), project.layer("shop", BASE))).rejects.toThrow(
      "does not serve a second connection of this run. Expected up to 4 at a time: raise its pool_size",
    );
    expect(await database.query("select from pg_namespace where nspname = 'shop'")).toEqual([]);
  });

  test("a setting in the URL that it does not pass on is named", async () => {
    const database = await freshDatabase();
    const withOptions = (url: string): string => `${url}?options=${encodeURIComponent("-c search_path=public")}`;
    const strict = await pooler({ pool_mode: "session" });
    await expect(up(withOptions(strict.url(database.url)), project.layer("shop", BASE))).rejects.toThrow(
      /unsupported startup parameter: options.*ignore_startup_parameters/,
    );
    const lenient = await pooler({ pool_mode: "session", ignore_startup_parameters: "options" });
    await up(withOptions(lenient.url(database.url)), project.layer("shop", BASE));
    expect(await database.query("select nspname from pg_namespace where nspname = 'shop'")).toHaveLength(1);
  });
});
