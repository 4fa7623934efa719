/**
 * How connections are opened with the session settings of this provider, and survive being cut. URLs, TLS and
 * server versions are left to `target.ts`.
 */
import type pg from "pg";
import { PIN_SESSION } from "./sessionSettings.ts";

/**
 * A pool whose connections may be cut at any time, by a server that stops or a database that is dropped. The
 * next use of one then fails; without listeners the whole process would. The driver is loaded at the first
 * call, which keeps the start of the process short.
 *
 * @param config.onConnect runs once the session has our settings.
 */
export async function openPool({ onConnect, ...config }: pg.PoolConfig): Promise<pg.Pool> {
  const { default: driver } = await import("pg");
  const pool = new driver.Pool({
    ...config,
    onConnect: async (client) => {
      // In pipeline mode the first statement of `onConnect` is sent along.
      const pinned = client.query(PIN_SESSION);
      await Promise.all([pinned, onConnect?.(client)]);
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
