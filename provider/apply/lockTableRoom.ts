/**
 * Whether the server's lock table has room for the transaction of a plan. How many locks it takes is counted
 * by `plan/lockCount.ts`.
 */
import type { ClientBase, Pool } from "pg";
import type { FactBase } from "../catalog/pgDelta.ts";
import { UserError } from "../core/errors.ts";
import { locksNeeded } from "../plan/lockCount.ts";

/** So many have room on any server, and need no question. */
const FEW_LOCKS = 500;

/** Settings are made in steps of the default. */
const STEP = 64;

/**
 * For how many processes the server's lock table has room, how many locks each may take on average, and how
 * many are taken. The servers before 18 have no setting for the slots of autovacuum workers.
 */
const ROOM = `
  select pg_catalog.current_setting('max_locks_per_transaction')::int as each,
         pg_catalog.current_setting('max_connections')::int + pg_catalog.current_setting('max_prepared_transactions')::int
           + pg_catalog.current_setting('max_worker_processes')::int + pg_catalog.current_setting('max_wal_senders')::int
           + coalesce(pg_catalog.current_setting('autovacuum_worker_slots', true), pg_catalog.current_setting('autovacuum_max_workers'))::int
           + 1 as processes,
         (select pg_catalog.count(*)::int from pg_catalog.pg_locks where not fastpath) as taken`;

interface Room {
  each: number;
  processes: number;
  taken: number;
}

/**
 * Refuses a plan whose one transaction would take more locks than the server has room for. It would end in
 * "out of shared memory" after a while, and until then every other session that needs a lock would end so,
 * too. Splitting it is no way out: others would see half a layer.
 */
export async function refuseTooManyLocks(
  client: ClientBase | Pool,
  live: FactBase,
  desired: FactBase,
  serverMajor: number,
): Promise<void> {
  const needed = locksNeeded(live, desired, serverMajor);
  if (needed <= FEW_LOCKS) return;
  const { rows } = await client.query<Room>(ROOM);
  const [room] = rows;
  if (room === undefined) throw new Error("the server answered a one-row query with no row");
  const { each, processes, taken } = room;
  const free = each * processes - taken;
  if (needed <= free) return;
  const enough = Math.ceil((needed + taken) / processes / STEP) * STEP;
  throw new UserError(
    "PS305",
    `The plan is one transaction, which takes about ${count(needed)} locks; the server has room for ${count(free)} ` +
      `(max_locks_per_transaction ${each} × ${processes} processes, ${count(taken)} in use). Nothing was changed. Expected room for all: set ` +
      `max_locks_per_transaction to ${enough} (\`alter system set max_locks_per_transaction = ${enough}\`, or where your host keeps its settings) and ` +
      "restart the server; or spread the objects over several layers, each of which is a transaction of its own.",
  );
}

const count = (value: number): string => value.toLocaleString("en-US");
