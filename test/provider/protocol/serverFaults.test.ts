import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import { ask } from "../../support/database.ts";
import { type FaultServer, startFaultServer } from "../../support/faultServer.ts";
import { checked, inRun, pending, project, sqlOf, up, upAll } from "../../support/layerHarness.ts";
import { startStatementProxy } from "../../support/statementProxy.ts";

const open: { remove(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.remove();
});

async function server(options?: Parameters<typeof startFaultServer>[0]): Promise<FaultServer> {
  const started = await startFaultServer(options);
  open.push(started);
  return started;
}

const tablesIn = (url: string): Promise<Record<string, unknown>[]> =>
  ask(
    url,
    "select relname::text from pg_class where relnamespace = to_regnamespace('shop') and relkind = 'r' order by 1",
  );

const BASE = "create schema shop; create table shop.item (id int primary key, name text);";
const WIDER = `${BASE} alter table shop.item add price int; create table shop.sale (id int primary key); create table shop.refund (id int primary key);`;
const layer = (sql: string): Properties => project.layer("shop", sql);

/** Builds the first version with rows, and gives back its state. */
async function stocked(url: string) {
  const state = await up(url, layer(BASE));
  await ask(url, "insert into shop.item select n, 'item ' || n from generate_series(1, 100) as n");
  return state;
}

/**
 * A URL of the server by which something happens before the second table is made, in the middle of the
 * transaction.
 */
async function atSale(
  { url, port }: FaultServer,
  happen: () => Promise<void>,
): Promise<{ url: string; happened: () => Promise<number> }> {
  const proxy = await startStatementProxy({ host: "127.0.0.1", port });
  open.push({ remove: () => proxy.close() });
  const happenings: Promise<void>[] = [];
  proxy.restart(async ({ sql, side }) => {
    if (side !== "before" || !sql.startsWith('CREATE TABLE "shop"."sale"')) return;
    const happening = happen();
    happenings.push(happening);
    await happening;
  });
  return {
    url: proxy.url(url("postgres")),
    happened: async () => (await Promise.all(happenings)).length,
  };
}

async function expectConverges(url: string, state: Awaited<ReturnType<typeof stocked>> | undefined): Promise<void> {
  const after = await up(url, layer(WIDER), state);
  expect(await pending(url, after)).toEqual([]);
  expect(await tablesIn(url)).toEqual([{ relname: "item" }, { relname: "refund" }, { relname: "sale" }]);
}

test.each(["fast", "immediate"] as const)(
  "a server that stops in mid-update (%s) and comes back holds nothing of it",
  async (mode) => {
    const target = await server();
    const url = target.url("postgres");
    const state = await stocked(url);
    const midway = await atSale(target, () => target.stop(mode));
    await expect(up(midway.url, layer(WIDER), state)).rejects.toThrow(
      /^the connection to the database was lost: .*nothing is left half done\. Run `pulumi up` again/,
    );
    expect(await midway.happened()).toBe(1);
    await expect(up(url, layer(WIDER), state)).rejects.toThrow("nothing accepts connections");
    await target.start();
    expect(await tablesIn(url)).toEqual([{ relname: "item" }]);
    expect(await ask(url, "select count(*)::int as rows from shop.item")).toEqual([{ rows: 100 }]);
    await expectConverges(url, state);
  },
);

test("a crash of another process of the server undoes the update, and is told as a lost connection", async () => {
  const target = await server();
  const url = target.url("postgres");
  const state = await stocked(url);
  const bystander = new pg.Client(url);
  bystander.on("error", () => {});
  await bystander.connect();
  const { rows } = await bystander.query<{ pid: number }>("select pg_backend_pid() as pid");
  const midway = await atSale(target, async () => {
    const ended = new Promise<void>((resolve) => bystander.once("end", () => resolve()));
    process.kill(rows[0]?.pid ?? 0, "SIGKILL");
    await ended;
  });
  await expect(up(midway.url, layer(WIDER), state)).rejects.toThrow(/^the connection to the database was lost: /);
  expect(await midway.happened()).toBe(1);
  // The server takes a moment to recover.
  const tables = () => tablesIn(url).catch(() => undefined);
  await expect.poll(tables, { timeout: 10_000 }).toEqual([{ relname: "item" }]);
  await expectConverges(url, state);
});

test("a server that is shutting down is told as such", async () => {
  const target = await server();
  const url = target.url("postgres");
  const state = await stocked(url);
  const client = new pg.Client(url);
  await client.connect();
  await target.shutDownSmart();
  await expect(up(url, layer(WIDER), state)).rejects.toThrow("the server is starting up or shutting down");
  await client.end();
});

test("a standby refuses the update and says what it is; once it is promoted, the update goes through", async () => {
  const primary = await server();
  const state = await stocked(primary.url("postgres"));
  await primary.stop();
  const home = mkdtempSync(join(tmpdir(), "pgstrata-fault-"));
  open.push({ remove: async () => rmSync(home, { recursive: true }) });
  // The directory of the first server there; its owner and rights must stay.
  execFileSync("cp", ["-a", join(primary.data, ".."), join(home, "1")]);
  writeFileSync(join(home, "1", "data", "standby.signal"), "");
  await primary.start();
  const origin = new URL(primary.url("postgres"));
  const source = `host=127.0.0.1 port=${primary.port} user=${origin.username} password=${decodeURIComponent(origin.password)}`;
  const standby = await server({ home, settings: { primary_conninfo: source } });
  const url = standby.url("postgres");

  // A preview reads it, and warns.
  await inRun(url, async (run) => {
    const inputs = await checked(run, layer(WIDER), state.inputs);
    await run.layer.update(run.context(true), state, inputs);
    expect(sqlOf(run.said.plans[0]).join()).toContain('CREATE TABLE "shop"."sale"');
    expect(run.said.warnings).toEqual([expect.stringMatching(/read-only: it is a standby.*an update is refused/)]);
  });
  await expect(up(url, layer(WIDER), state)).rejects.toThrow(
    /read-only: it is a standby.*correct the host in the URL\. Nothing was changed/,
  );
  expect(await tablesIn(url)).toEqual([{ relname: "item" }]);

  // It follows the primary: what is done there can be seen here.
  await expectConverges(primary.url("postgres"), state);
  const seen = async (): Promise<number> => (await tablesIn(url)).length;
  await expect.poll(seen, { timeout: 10_000 }).toBe(3);
  await ask(url, "select pg_promote()");
  const more = `${WIDER} create table shop.promoted (id int primary key);`;
  await upAll(url, [layer(more)], [state]);
  expect(await seen()).toBe(4);
});

test("a server without a free connection is told as such, before anything is changed", async () => {
  const target = await server({
    settings: { max_connections: "5", superuser_reserved_connections: "1", max_wal_senders: "0" },
  });
  const url = target.url("postgres");
  const state = await stocked(url);
  // Sessions end on the server some time after their clients have closed them.
  const sessions = "select count(*)::int from pg_stat_activity where backend_type = 'client backend'";
  await expect.poll(() => ask(url, sessions).catch(() => undefined), { timeout: 20_000 }).toEqual([{ count: 1 }]);
  const clients = Array.from({ length: 5 }, () => new pg.Client(url));
  await Promise.all(clients.map((client) => client.connect()));
  await expect(up(url, layer(WIDER), state)).rejects.toThrow("too many connections");
  await clients[0]?.end();
  // One is not enough, either.
  await expect(up(url, layer(WIDER), state)).rejects.toThrow("too many connections");
  await Promise.all(clients.slice(1).map((client) => client.end()));
  await expectConverges(url, state);
});

test("a lock table that is full is told with what to set, and leaves nothing behind", async () => {
  const target = await server({ settings: { max_locks_per_transaction: "10", max_connections: "10" } });
  const url = target.url("postgres");
  const state = await stocked(url);
  const hoarder = new pg.Client(url);
  await hoarder.connect();
  // These locks outlive the failure that comes when there is no more room.
  await expect(hoarder.query("select pg_advisory_lock(n) from generate_series(1, 100000) as n")).rejects.toThrow(
    "out of shared memory",
  );
  await hoarder.query("select pg_advisory_unlock(n) from generate_series(1, 20) as n");
  const many = Array.from({ length: 30 }, (_, n) => `create table shop.t${n} (id int primary key);`).join(" ");
  await expect(up(url, layer(`${WIDER} ${many}`), state)).rejects.toThrow(/max_locks_per_transaction/);
  expect(await tablesIn(url)).toEqual([{ relname: "item" }]);
  await hoarder.end();
  await expectConverges(url, state);
});
