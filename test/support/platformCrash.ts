import pg from "pg";
import { inject } from "vitest";
import { readCatalog } from "../../provider/catalog/readCatalog.ts";
import type { ResourceState } from "../../provider/core/resourceType.ts";
import { createTestDatabase } from "./database.ts";
import { type KillPoint, killOnce, terminateBackend } from "./kills.ts";
import { inRun, preview, put } from "./layerHarness.ts";
import { type Boundary, startStatementProxy } from "./statementProxy.ts";
import { ensureStudioRoles, studioLayers } from "./studio.ts";
import { type Watched, watch } from "./watch.ts";

/** How the connection of a run is lost: the server ends it, or the network does. */
export type ConnectionLoss = "terminated" | "cut";

/**
 * The project's three layers on an empty database, of which a run can be deprived of its connection at any
 * statement.
 */
export interface PlatformCrash {
  /** Statements of the undisturbed run. */
  statements: string[];
  /** What other sessions may see: the standing before the run and after each layer. */
  whole: string[];
  /** Runs all layers on what the last run left, and loses the connection at one boundary. */
  runAndLose(point: KillPoint, how: ConnectionLoss): Promise<LostRun>;
  /**
   * Runs all layers again, undisturbed. Throws unless all is then as the undisturbed run left it, with
   * nothing to do.
   */
  converge(): Promise<void>;
  /** The standing right now. */
  standing(): Promise<string>;
  /** Starts anew: another empty database, no states. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface LostRun {
  /** Beginning of the statement; undefined when the run never came to the boundary. */
  killedAt: string | undefined;
  /** What the run told its user; undefined when it succeeded nevertheless. */
  message: string | undefined;
  watched: Watched;
}

/** One text with numbers of what stands in the schemas of the platform; one statement, so of one moment. */
const STANDING = `
with schemas as (select oid from pg_namespace where nspname in ('platform', 'platform_private')),
     relations as (select * from pg_class where relnamespace in (select oid from schemas))
select concat_ws(' ', (select count(*) from schemas), (select count(*) from relations where relkind = 'r'), (select count(*) from relations where relkind = 'i'),
  (select count(*) from relations where relkind = 'v'), (select count(*) from relations where relrowsecurity), (select count(*) from pg_policy),
  (select count(*) from pg_proc where pronamespace in (select oid from schemas)), (select count(*) from pg_trigger where not tgisinternal),
  (select count(*) from pg_constraint where connamespace in (select oid from schemas)),
  (select count(*) from relations where relacl is not null), (select count(*) from pg_description d where d.objoid in (select oid from relations)))`;

export async function createPlatformCrash(): Promise<PlatformCrash> {
  const server = inject("serverUrl");
  let database = await createTestDatabase();
  await ensureStudioRoles(database);
  const proxy = await startStatementProxy({ host: "127.0.0.1", port: Number(new URL(server).port) });
  let states: ResourceState[] = [];

  /** States of the layers that were done are kept even if a later one fails, as Pulumi does. */
  const run = (after?: () => Promise<void>): Promise<void> =>
    inRun(proxy.url(database.url), async (one) => {
      for (const [n, layer] of studioLayers.entries()) {
        states[n] = await put(one, layer, states[n]);
        await after?.();
      }
    });
  const standing = async (): Promise<string> => String((await database.query(STANDING))[0]?.concat_ws);
  const rootHash = async (): Promise<string> => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1, pipeline: true });
    try {
      return (await readCatalog(pool, "postgres")).facts.rootHash;
    } finally {
      await pool.end();
    }
  };
  const reset = async (): Promise<void> => {
    states = [];
    await database.drop();
    database = await createTestDatabase();
  };

  const whole = [await standing()];
  await run(async () => void whole.push(await standing()));
  const statements = [...proxy.statements];
  const complete = await rootHash();
  await reset();

  return {
    statements,
    whole,
    standing,
    reset,
    async runAndLose(point, how) {
      const lose = (boundary: Boundary): Promise<void> | void =>
        how === "cut" ? boundary.connection.cut() : terminateBackend(boundary, server);
      const { hold, killedAt } = killOnce(point, statements, lose);
      const watching = await watch(database.url, STANDING);
      proxy.restart(hold);
      let message: string | undefined;
      await run().catch((error: unknown) => {
        message = error instanceof Error ? error.message : String(error);
      });
      proxy.restart();
      return { killedAt: killedAt(), message, watched: await watching.stop() };
    },
    async converge() {
      await run();
      if ((await rootHash()) !== complete) throw new Error("the catalog is not as the undisturbed run left it");
      const left = (await preview(proxy.url(database.url), studioLayers, states)).flat();
      if (left.length > 0) throw new Error(`statements are left: ${left.map(({ name }) => name).join(", ")}`);
    },
    async close() {
      await proxy.close();
      await database.drop();
    },
  };
}
