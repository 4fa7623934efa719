import type pg from "pg";

/**
 * A pool whose connections may be cut at any time, by a server that stops or a database that is dropped. The
 * next use of one then fails; without listeners the whole process would. The driver is loaded at the first
 * call, which keeps the start of the process short.
 */
export async function openPool(config: pg.PoolConfig): Promise<pg.Pool> {
  const { default: driver } = await import("pg");
  const pool = new driver.Pool(config);
  pool.on("error", () => undefined);
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  return pool;
}
