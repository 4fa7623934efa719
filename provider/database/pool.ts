/**
 * How connections are opened with the session settings of this provider, and survive being cut. URLs, TLS and
 * server versions are left to `target.ts`.
 */
import type pg from "pg";
import { inOwnProcess, refuseSharedSessions } from "./pooler.ts";
import { PIN_SESSION } from "./sessionSettings.ts";

export interface SessionPoolConfig extends Omit<pg.PoolConfig, "onConnect"> {
  /**
   * Runs once the session has our settings, and again where a pooler is met.
   *
   * @param condition in SQL; the session may only be changed where it holds.
   */
  onConnect?: (client: pg.ClientBase, condition: string) => Promise<void>;
}

/** How long a pooler may take to serve a second connection. */
const PATIENCE_MS = 5_000;

/**
 * A pool whose connections may be cut at any time, by a server that stops or a database that is dropped. The
 * next use of one then fails; without listeners the whole process would. The driver is loaded at the first
 * call, which keeps the start of the process short.
 *
 * @throws {UserError} with the first connection, by way of a pooler that keeps no session.
 */
export async function openPool({ onConnect, ...config }: SessionPoolConfig): Promise<pg.Pool> {
  const { default: driver } = await import("pg");
  let isKnown = false;
  /** Whether the session has its settings. */
  const prepare = async (client: pg.ClientBase, condition: string): Promise<boolean> => {
    // In pipeline mode the first statement of `onConnect` is sent along.
    const pinning = client.query(`${PIN_SESSION} where ${condition}`);
    const [pinned, prepared] = await Promise.allSettled([pinning, onConnect?.(client, condition)]);
    // Of a server that is too old to have all settings, `onConnect` says so.
    if (pinned.status === "rejected") throw prepared.status === "rejected" ? prepared.reason : pinned.reason;
    const isPinned = pinned.value.rowCount === 1;
    // What is found in a session without its settings counts for nothing.
    if (isPinned && prepared.status === "rejected") throw prepared.reason;
    return isPinned;
  };
  const pool = new driver.Pool({
    ...config,
    onConnect: async (client) => {
      if (await prepare(client, inOwnProcess(client))) return;
      if (!isKnown) await refuseSharedSessions(client, new driver.Client({ ...config, query_timeout: PATIENCE_MS }));
      isKnown = true;
      await prepare(client, "true");
    },
  });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  return pool;
}

/** One connection with the settings of our sessions; the caller ends it. */
export async function openClient(config: pg.ClientConfig): Promise<pg.Client> {
  const { default: driver } = await import("pg");
  const client = new driver.Client(config);
  await client.connect();
  await client.query(PIN_SESSION);
  return client;
}
