/**
 * How two runs that change one database are kept apart for as long as they last, where something is measured
 * once a run. Single updates are kept apart by `updateLock.ts`.
 */
import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/resourceType.ts";
import type { Database } from "./target.ts";
import type { LockWait } from "./updateLock.ts";

/** First half of the key of an advisory lock: `pgst` in ASCII. The second half is the run's own number. */
const LOCK_CLASS = 0x70677374;

/** Runs that hold the lock, or are about to; role and address are empty where the server does not tell. */
const OTHERS = `
  select l.pid, coalesce(a.usename::pg_catalog.text, '') as role,
         coalesce(pg_catalog.host(a.client_addr), 'local') as address
    from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a on a.pid operator(pg_catalog.=) l.pid
   where l.locktype operator(pg_catalog.=) 'advisory' and l.granted and l.objsubid operator(pg_catalog.=) 2
     and l.database operator(pg_catalog.=) (select oid from pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database())
     and l.classid::pg_catalog.int8 operator(pg_catalog.=) ${LOCK_CLASS}
     and l.objid::pg_catalog.int8 operator(pg_catalog.<>) ($1::pg_catalog.int4)::pg_catalog.int8
   order by 1`;

interface Other {
  pid: number;
  role: string;
  address: string;
}

/** A run that goes on in a command which it has started: its number, and the session that holds its lock. */
export interface ContinuedRun {
  number: number;
  pid: number;
}

/** The variable by which a command is told, as `<number>:<pid>`. */
const CONTINUED = "PGSTRATA_CONTINUED_RUN";

/** The variable for a command that goes on with the run of this lock. */
export async function continuing({ client }: RunLock, number: number): Promise<NodeJS.ProcessEnv> {
  const { rows } = await client.query<{ pid: number }>("select pg_catalog.pg_backend_pid() as pid");
  return { [CONTINUED]: `${number}:${rows[0]?.pid ?? 0}` };
}

export function continuedRun({ [CONTINUED]: text = "" }: NodeJS.ProcessEnv): ContinuedRun | undefined {
  const [, number, pid] = /^(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  return pid === undefined ? undefined : { number: Number(number) & 0x7fffffff, pid: Number(pid) };
}

const IS_HELD = `
  select exists (select from pg_catalog.pg_locks l
                  where l.locktype operator(pg_catalog.=) 'advisory' and l.granted and l.objsubid operator(pg_catalog.=) 2
                    and l.database operator(pg_catalog.=) (select oid from pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database())
                    and l.classid::pg_catalog.int8 operator(pg_catalog.=) ${LOCK_CLASS}
                    and l.objid::pg_catalog.int8 operator(pg_catalog.=) ($1::pg_catalog.int4)::pg_catalog.int8
                    and l.pid operator(pg_catalog.=) $2::pg_catalog.int4) as held`;

/** Whether the run that is continued has had the lock without a gap: what it measured stays true. */
export async function isStillHeld({ client }: RunLock, { number, pid }: ContinuedRun): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(IS_HELD, [number, pid]);
  return rows[0]?.held === true;
}

/** The lock of a run. It ends with its connection. */
export interface RunLock {
  /** False once the connection is lost: another run may have come in since. */
  readonly isHeld: boolean;
  /** The connection that it ends with, for what must be done by the only session on the database. */
  readonly client: PoolClient;
  release(): Promise<void>;
}

const DEFAULT_WAIT: LockWait = { limitMs: 600_000, pollMs: 500 };

/**
 * The number of a run, the same for all providers that one engine has started, so that they do not wait for
 * one another.
 *
 * @param engineAddress where the engine listens; undefined for a provider without one, whose run is its own.
 * @returns a positive 31-bit integer.
 */
export function runNumber(engineAddress: string | undefined): number {
  const text = engineAddress === undefined ? randomBytes(16).toString("hex") : `${hostname()} ${engineAddress}`;
  return createHash("sha256").update(text).digest().readUInt32BE() & 0x7fffffff;
}

/**
 * Takes the lock on a connection of its own. Whoever finds another run gives way and looks again after a
 * random pause, so that of two that come at once one gets it.
 *
 * @throws {UserError} after `wait.limitMs`, naming who holds it.
 */
export async function takeRunLock(
  database: Database,
  run: number,
  { report, signal }: { report: Reporter; signal: AbortSignal },
  wait: LockWait = DEFAULT_WAIT,
): Promise<RunLock> {
  const pool = await database.poolOf(database.target.database);
  let client: PoolClient | undefined;
  try {
    client = await pool.connect();
    await client.query("set idle_session_timeout = 0");
    const started = performance.now();
    for (let isFirst = true; ; isFirst = false) {
      const other = await tryLock(client, run);
      if (other === undefined) return held(pool, client);
      const who = `process ${other.pid}${other.role && ` of role ${other.role}`} from ${other.address}`;
      if (performance.now() - started >= wait.limitMs) {
        throw new UserError(
          "PS303",
          `Waited ${Math.round(wait.limitMs / 1000)} s for another run on this database: ${who}. ` +
            "Expected it to end. Wait for it, or end it if it hangs, and run again. Nothing was changed.",
        );
      }
      if (isFirst) report.info(`another run changes this database (${who}); waiting for its end`);
      await sleep(wait.pollMs * (0.5 + Math.random()), undefined, { signal });
    }
  } catch (error) {
    client?.release(true);
    await pool.end();
    throw error;
  }
}

/** The other run that has it; undefined when it is ours now. */
async function tryLock(client: PoolClient, run: number): Promise<Other | undefined> {
  await client.query("select pg_catalog.pg_advisory_lock_shared($1::pg_catalog.int4, $2::pg_catalog.int4)", [
    LOCK_CLASS,
    run,
  ]);
  const { rows } = await client.query<Other>(OTHERS, [run]);
  if (rows[0] === undefined) return undefined;
  await client.query("select pg_catalog.pg_advisory_unlock_shared($1::pg_catalog.int4, $2::pg_catalog.int4)", [
    LOCK_CLASS,
    run,
  ]);
  return rows[0];
}

function held(pool: Pool, client: PoolClient): RunLock {
  let isHeld = true;
  const lost = (): void => {
    isHeld = false;
  };
  client.on("error", lost);
  client.on("end", lost);
  return {
    client,
    get isHeld() {
      return isHeld;
    },
    async release() {
      client.release(true);
      await pool.end();
    },
  };
}
