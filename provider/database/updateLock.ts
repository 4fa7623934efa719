/**
 * How two updates of one database are kept apart: by an advisory lock, which ends with its connection. Table
 * locks are left to `apply/acquireLocks.ts`.
 */
import type { PoolClient } from "pg";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/resourceType.ts";

/**
 * One number for every pgstrata, whatever its stack or machine: `pgstrata` in ASCII. Advisory locks are per
 * database.
 */
const LOCK_KEY = "8099569398821516385";

const HOLDER = `
  select a.pid, a.application_name as application, coalesce(pg_catalog.host(a.client_addr), 'local') as address, a.usename as role,
         extract(epoch from pg_catalog.now() - a.backend_start)::int as seconds
    from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
   where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
     and (l.classid::bigint << 32) + l.objid::bigint = ${LOCK_KEY} and l.objsubid = 1`;

interface Holder {
  pid: number;
  application: string;
  address: string;
  role: string;
  seconds: number;
}

/** How long one update waits for another, and how often it looks. */
export interface LockWait {
  limitMs: number;
  pollMs: number;
}

const DEFAULT_WAIT: LockWait = { limitMs: 600_000, pollMs: 500 };

/**
 * Keeps two updates of one database apart. The lock belongs to the connection and goes with it, so a killed
 * update holds none.
 *
 * @param task is told whether another update ran meanwhile.
 * @throws {UserError} after `wait.limitMs`, naming who holds it.
 */
export async function withDatabaseLock<T>(
  client: PoolClient,
  report: Reporter,
  signal: AbortSignal,
  task: (waited: boolean) => Promise<T>,
  wait: LockWait = DEFAULT_WAIT,
): Promise<T> {
  const started = Date.now();
  let waited = false;
  for (; !(await tryLock(client)); waited = true) {
    const holder = await describeHolder(client);
    if (Date.now() - started >= wait.limitMs) {
      throw new UserError(
        "PS303",
        `Waited ${Math.round(wait.limitMs / 1000)} s for another update of this database: ${holder}. ` +
          "Expected it to end. Wait for it, or end it if it hangs, and run `pulumi up` again. Nothing was changed.",
      );
    }
    if (!waited) report.info(`another update of this database is running (${holder}); waiting for it`);
    await new Promise((resolve) => setTimeout(resolve, wait.pollMs));
    signal.throwIfAborted();
  }
  try {
    return await task(waited);
  } finally {
    await client.query(`select pg_catalog.pg_advisory_unlock(${LOCK_KEY})`).catch(() => {});
  }
}

async function tryLock(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    `select pg_catalog.pg_try_advisory_lock(${LOCK_KEY}) as locked`,
  );
  return rows[0]?.locked === true;
}

async function describeHolder(client: PoolClient): Promise<string> {
  const { rows } = await client.query<Holder>(HOLDER);
  const [holder] = rows;
  if (holder === undefined) return "one that is just ending";
  return `process ${holder.pid} of role ${holder.role} from ${holder.address}, ${holder.application}, connected for ${holder.seconds} s`;
}
