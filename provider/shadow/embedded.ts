/** Scratch databases on a server of our own. Starting the server is left to the room `embedded/`. */
import type pg from "pg";
import { quoteIdent } from "../catalog/quote.ts";
import { openClient, openPool } from "../database/pool.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../embedded/server.ts";
import type { ScratchDatabase, Shadow, ShadowNeeds } from "./shadow.ts";

/** A DROP for each scratch database, then for each role but the superuser. */
const LEFTOVERS = `
  select pg_catalog.format('drop database %I', datname) as drop from pg_catalog.pg_database where datname ^@ 'shadow_'
  union all
  select pg_catalog.format('drop role %I', rolname) from pg_catalog.pg_roles where not rolname ^@ 'pg_' and rolname <> $1
  order by 1`;

const ROLE_EXISTS = "select 1 from pg_catalog.pg_roles where rolname = $1";

/** Nothing in a shadow outlives the process, so nothing needs to reach the disk. */
const SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  jit: "off",
  max_locks_per_transaction: "1024",
  // In memory, logs that are done with are given back early.
  min_wal_size: "32MB",
  max_wal_size: "256MB",
};

/**
 * A server of our own, started when the first scratch database is asked for, on a data directory that is
 * kept. It is alone in its cluster, so it may have any role.
 *
 * @param directory where the data directory lies.
 */
export function embeddedShadow(directory: string, majorVersion: number, version: string): Shadow {
  let starting: Promise<EmbeddedServer> | undefined;
  let count = 0;
  const server = (): Promise<EmbeddedServer> => {
    starting ??= start(directory, majorVersion);
    return starting;
  };
  return {
    identity: `embedded ${version}`,
    create: async (needs) => createScratch(await server(), `shadow_${process.pid}_${++count}`, needs),
    stop: async () => {
      const running = await starting?.catch(() => undefined);
      starting = undefined;
      await running?.stop();
    },
  };
}

/**
 * What processes before this one left in the data directory goes: space, and roles that this run's SQL does
 * not list.
 */
async function start(directory: string, majorVersion: number): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ directory, majorVersion, settings: SETTINGS, inMemory: true });
  await asAdmin(server, async (admin) => {
    const { rows } = await admin.query<{ drop: string }>(LEFTOVERS, [server.superuser]);
    for (const { drop } of rows) await admin.query(drop);
  });
  return server;
}

async function asAdmin(server: EmbeddedServer, task: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = await openClient({ connectionString: server.url("postgres") });
  try {
    await task(admin);
  } finally {
    await admin.end();
  }
}

async function createScratch(
  server: EmbeddedServer,
  name: string,
  { owner, roles }: ShadowNeeds,
): Promise<ScratchDatabase> {
  await asAdmin(server, async (admin) => {
    for (const role of new Set([owner, ...roles])) {
      if ((await admin.query(ROLE_EXISTS, [role])).rowCount === 0) await admin.query(`create role ${quoteIdent(role)}`);
    }
    // The scratch database's owner may do all in it, as the target's owner may in its own, and needs no
    // password of its own.
    await admin.query(`alter role ${quoteIdent(owner)} superuser`);
    await admin.query(`drop database if exists ${quoteIdent(name)} with (force)`);
    await admin.query(`create database ${quoteIdent(name)} template template0 strategy wal_log`);
  });
  const open = (): Promise<pg.Pool> =>
    openPool({
      connectionString: server.url(name),
      max: 2,
      pipeline: true,
      onConnect: async (client) => {
        await client.query(`set session authorization ${quoteIdent(owner)}`);
      },
    });
  const [pool, readers] = await Promise.all([open(), open()]);
  return {
    pool,
    readers,
    owner,
    drop: async () => {
      await Promise.all([pool.end(), readers.end()]);
    },
  };
}
