import pg from "pg";

/**
 * A pool whose connections may be cut at any time, by a server that stops or a database that is dropped. The next use of one then
 * fails; without listeners the whole process would.
 */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on("error", () => undefined);
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  return pool;
}
