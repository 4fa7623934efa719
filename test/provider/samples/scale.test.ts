import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { extract } from "../../../provider/catalog/pgDelta.ts";
import type { Properties, ResourceState } from "../../../provider/core/resourceType.ts";
import { catalogCounts, expectedCounts } from "../../long/scale/catalogCounts.ts";
import { generatedLayers, type Size } from "../../long/scale/generatedSchema.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { inRun, project, put } from "../../support/layerHarness.ts";
import { majorVersion } from "../../support/majorVersion.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";

// A server of its own: what it is asked for is counted in its log.
let server: TestServer;
const databases: TestDatabase[] = [];
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  for (const database of databases) await database.drop();
  await server.stop();
});

async function freshDatabase(on = server): Promise<TestDatabase> {
  const database = await createTestDatabase({ server: on.url("postgres") });
  databases.push(database);
  return database;
}

/** Inputs of generated layers, whose files lie in the test's project. */
function layersOf(size: Size, options?: { changed: boolean }): Properties[] {
  rmSync(join(project.directory, "sql"), { recursive: true, force: true });
  const layers = generatedLayers(size, options);
  for (const { files } of layers) for (const [path, text] of Object.entries(files)) project.write(path, text);
  const sources = layers.map(({ name, directory }) => ({ name, files: [directory] }));
  return sources.map((source, n) => ({ ...source, base: sources.slice(0, n) }));
}

/** As `pulumi up` does. */
async function upAll(url: string, layers: readonly Properties[], states: readonly ResourceState[] = []) {
  return inRun(
    url,
    async (run) => {
      const done: ResourceState[] = [];
      for (const [n, properties] of layers.entries()) done.push(await put(run, properties, states[n]));
      return { states: done, said: run.said };
    },
    { shadow: { url: server.url("postgres") } },
  );
}

/** What a preview right now would change, by layer. */
async function pending(url: string, layers: readonly Properties[], states: readonly ResourceState[]) {
  return inRun(
    url,
    async ({ layer, context }) => {
      const changes: string[][] = [];
      for (const [n, state] of states.entries()) {
        const { inputs } = await layer.check(context(true), state.inputs, layers[n] ?? {});
        changes.push(Object.keys((await layer.diff(context(true), state, inputs)).detailed));
      }
      return changes;
    },
    { shadow: { url: server.url("postgres") } },
  );
}

/** How often the server was told something that matches while `task` ran. */
async function countInLog<T>(pattern: RegExp, task: () => Promise<T>): Promise<{ result: T; count: number }> {
  const before = readFileSync(server.logFile, "utf8").length;
  const result = await task();
  const told = readFileSync(server.logFile, "utf8").slice(before);
  return { result, count: told.match(pattern)?.length ?? 0 };
}

/** How each reading of a catalog begins, once in the log. */
const READING = /statement: BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY/g;
const SCRATCH = /statement: create database "pgstrata_shadow_/g;

describe("some hundred tables", () => {
  it("are made, found complete, changed by one column and taken away, in one layer and in several", {
    timeout: 180_000,
  }, async () => {
    for (const size of [
      { tables: 200, layers: 1 },
      { tables: 40, layers: 4 },
    ]) {
      const { url, pool } = await freshDatabase();
      const layers = layersOf(size);
      const { states } = await upAll(url, layers);
      expect(await catalogCounts(pool)).toEqual(expectedCounts(size));
      expect((await pending(url, layers, states)).flat()).toEqual([]);

      const changed = layersOf(size, { changed: true });
      const after = await upAll(url, changed, states);
      expect(await catalogCounts(pool)).toEqual(expectedCounts(size, { changed: true }));
      const statements = after.states
        .map(({ outputs }) => outputs.lastRun)
        .filter((run) => JSON.stringify(run).includes('"statements":1,'));
      expect(statements).toHaveLength(1);
      expect((await pending(url, changed, after.states)).flat()).toEqual([]);

      await inRun(url, async ({ layer, context }) => {
        for (const state of after.states.toReversed()) await layer.delete(context(), state);
      });
      expect(await catalogCounts(pool)).toEqual(expectedCounts({ tables: 0, layers: 0 }));
    }
  });

  it("are loaded into one shadow for all layers and rehearsed in another, and in none once they are known", async () => {
    const layers = layersOf({ tables: 48, layers: 4 });
    const first = await freshDatabase();
    const second = await freshDatabase();

    const learning = await countInLog(SCRATCH, () => upAll(first.url, layers));
    const knowing = await countInLog(SCRATCH, () => upAll(second.url, layers));

    expect(learning.count).toBe(2);
    expect(knowing.count).toBe(0);
    expect(await catalogCounts(second.pool)).toEqual(expectedCounts({ tables: 48, layers: 4 }));
  });

  it("are read once in a run that changes nothing", async () => {
    const { url } = await freshDatabase();
    const layers = layersOf({ tables: 40, layers: 4 });
    const { states } = await upAll(url, layers);

    const { result, count } = await countInLog(READING, () => pending(url, layers, states));

    expect(result.flat()).toEqual([]);
    expect(count).toBe(1);
  });

  it("show nothing of what the library says about edges that lead out of the schema", async () => {
    const { url, pool } = await freshDatabase();
    const written: unknown[] = [];
    const spies = [
      ...(["log", "info", "warn", "error"] as const).map((name) =>
        vi.spyOn(console, name).mockImplementation((...args) => void written.push(args)),
      ),
      ...[process.stdout, process.stderr].map((stream) =>
        vi.spyOn(stream, "write").mockImplementation((chunk) => written.push(chunk) > 0),
      ),
    ];
    const { said } = await upAll(url, layersOf({ tables: 20, layers: 1 })).finally(() => {
      for (const spy of spies) spy.mockRestore();
    });

    const { diagnostics } = await extract(pool);
    // Only servers from 18 on have what it warns about.
    if (majorVersion >= 18) expect(diagnostics.map(({ code }) => code)).toContain("dangling_edge");
    expect(written).toEqual([]);
    expect([...said.infos, ...said.warnings]).toEqual([]);
  });
});

describe("a server whose lock table is too small", () => {
  let small: TestServer;
  beforeAll(async () => {
    small = await startTestServer({ max_locks_per_transaction: "10", max_connections: "30" });
  });
  afterAll(async () => {
    await Promise.all(databases.splice(0).map((database) => database.drop()));
    await small.stop();
  });

  it("is told from one that has room, before the first statement, with the setting that is enough", async () => {
    const { url, pool } = await freshDatabase(small);
    const layers = layersOf({ tables: 200, layers: 1 });

    await expect(upAll(url, layers)).rejects.toThrow(
      /takes about 1,200 locks; .* set max_locks_per_transaction to 64 /s,
    );
    expect(await catalogCounts(pool)).toEqual(expectedCounts({ tables: 0, layers: 0 }));
  });

  it("takes what fits, and refuses the destroy, which takes more locks than the update did", async () => {
    const { url, pool } = await freshDatabase(small);
    const size = { tables: 40, layers: 1 };
    const { states } = await upAll(url, layersOf(size));
    expect(await catalogCounts(pool)).toEqual(expectedCounts(size));

    const destroy = inRun(url, async ({ layer, context }) => {
      for (const state of states) await layer.delete(context(), state);
    });

    await expect(destroy).rejects.toThrow(/max_locks_per_transaction/);
    expect(await catalogCounts(pool)).toEqual(expectedCounts(size));
  });

  it("ends a transaction that was not refused in an error", async () => {
    const client = new pg.Client({ connectionString: small.url("postgres") });
    await client.connect();
    await client.query("begin");
    const take = client.query("select pg_advisory_xact_lock(n) from generate_series(1, 100000) as n");
    await expect(take).rejects.toThrow("out of shared memory");
    await client.end();
  });
});
