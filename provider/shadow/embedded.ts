import pg from "pg";
import { quoteIdent } from "../engine/quote.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../postgres/embeddedServer.ts";
import type { ScratchDatabase, Shadow, ShadowNeeds } from "./shadow.ts";

const ROLE_EXISTS = "select 1 from pg_catalog.pg_roles where rolname = $1";

/** Nothing in a shadow outlives the process, so nothing needs to reach the disk. */
const SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  jit: "off",
  max_locks_per_transaction: "1024",
};

/**
 * A server of our own, started when the first scratch database is asked for, on a data directory that is kept. It is alone in
 * its cluster, so it may have any role.
 *
 * @param directory where the data directory lies.
 */
export function embeddedShadow(directory: string, majorVersion: number, version: string): Shadow {
  let starting: Promise<EmbeddedServer> | undefined;
  let count = 0;
  const server = (): Promise<EmbeddedServer> => {
    starting ??= startEmbeddedServer({ directory, majorVersion, settings: SETTINGS });
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

async function createScratch(
  server: EmbeddedServer,
  name: string,
  { owner, roles }: ShadowNeeds,
): Promise<ScratchDatabase> {
  const admin = new pg.Client({ connectionString: server.url("postgres") });
  await admin.connect();
  try {
    for (const role of new Set([owner, ...roles])) {
      if ((await admin.query(ROLE_EXISTS, [role])).rowCount === 0) await admin.query(`create role ${quoteIdent(role)}`);
    }
    // The scratch database's owner may do all in it, as the target's owner may in its own, and needs no password of its own.
    await admin.query(`alter role ${quoteIdent(owner)} superuser`);
    await admin.query(`drop database if exists ${quoteIdent(name)} with (force)`);
    await admin.query(`create database ${quoteIdent(name)} template template0 strategy wal_log`);
  } finally {
    await admin.end();
  }
  const pool = new pg.Pool({ connectionString: server.url(name), max: 2 });
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.query(`set session authorization ${quoteIdent(owner)}`).catch(() => {});
  });
  return { pool, drop: () => pool.end() };
}
