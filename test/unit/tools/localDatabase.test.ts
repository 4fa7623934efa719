import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import {
  localDatabaseUrl,
  removeLocalDatabase,
  startLocalDatabase,
  stopLocalDatabase,
} from "../../../tools/lib/localDatabase.ts";

const root = mkdtempSync(join(tmpdir(), "pgstrata-local-"));
// For root, the account that runs the server must get there.
chmodSync(root, 0o755);
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await stopLocalDatabase(root);
  rmSync(root, { recursive: true, force: true });
});

it("says how to start it while it does not run", async () => {
  await expect(localDatabaseUrl(root)).rejects.toThrow(/Run `npm start`/);
});

it("keeps its URL, its data and its durability over a stop", async () => {
  const first = await startLocalDatabase(root);
  expect(first.wasRunning).toBe(false);
  expect((await startLocalDatabase(root)).wasRunning).toBe(true);
  expect(await localDatabaseUrl(root)).toBe(first.url);
  expect(await stopLocalDatabase(root)).toBe(true);
  expect(await stopLocalDatabase(root)).toBe(false);
  const second = await startLocalDatabase(root);
  expect(second.url).toBe(first.url);
  const client = new pg.Client({ connectionString: second.url });
  await client.connect();
  const { rows } = await client.query(
    "select current_database() as name, current_setting('fsync') as fsync, current_user as owner",
  );
  await client.end();
  expect(rows).toEqual([{ name: "studio", fsync: "on", owner: "pgstrata" }]);
});

it("refuses another port while it runs, and a port that is none", async () => {
  await startLocalDatabase(root);
  vi.stubEnv("PGSTRATA_PORT", "1");
  await expect(startLocalDatabase(root)).rejects.toThrow(/npm stop/);
  vi.stubEnv("PGSTRATA_PORT", "many");
  await expect(startLocalDatabase(root)).rejects.toThrow(/PGSTRATA_PORT is "many"/);
});

it("names its port when another program took it", async () => {
  const { server } = await startLocalDatabase(root);
  await stopLocalDatabase(root);
  const occupant = createServer().listen(server.port, "127.0.0.1");
  await once(occupant, "listening");
  const attempt = startLocalDatabase(root);
  await expect(attempt).rejects.toThrow(UserError);
  await expect(attempt).rejects.toThrow(new RegExp(`Port ${server.port} .*PGSTRATA_PORT=`));
  occupant.close();
});

it("is removed with all its files", async () => {
  await startLocalDatabase(root);
  const removed = await removeLocalDatabase(root);
  expect(removed.length).toBeGreaterThan(0);
  expect(removed.filter((place) => existsSync(place))).toEqual([]);
  await expect(localDatabaseUrl(root)).rejects.toThrow(UserError);
  expect(await removeLocalDatabase(root)).toEqual([]);
});
