/**
 * How the table locks of a transaction are taken, in which order and with how much patience. Which locks it
 * needs is told by `plan/requiredLocks.ts`; tries are repeated by `database/transaction.ts`.
 */
import type { PoolClient } from "pg";
import { parseId } from "../catalog/pgDelta.ts";
import { quoteQualified } from "../catalog/quote.ts";
import type { Lock } from "../plan/statement.ts";

/**
 * While some locks are held already, the next one is waited for no longer than this. It is far below the
 * server's deadlock_timeout (1 s by default): a deadlock with a client ends by our giving up, never by the
 * server ending the client's transaction.
 */
export const LOCK_BACKOFF_MS = 100;

/** All locks after the first one are waited for no longer than this together, however many they are. */
const TOGETHER_MS = 200;

/**
 * Takes the locks of a transaction. The first one is waited for up to the lock timeout while nothing is held,
 * the others, and those of the statements, hardly at all: who waits for us never waits for others through us.
 * The order changes from try to try, so that a busy table eventually is the first one waited for.
 * Leaves behind a lock timeout of {@link LOCK_BACKOFF_MS}.
 *
 * @param client in a transaction whose lock timeout is `lockTimeoutMs`.
 */
export async function takeLocks(
  client: PoolClient,
  locks: ReadonlyMap<string, Lock>,
  lockTimeoutMs: number,
): Promise<void> {
  const [first, ...others] = shuffled([...locks]).map(([key, lock]) => lockStatement(key, lock));
  if (first === undefined) return;
  await waiting(client.query(first), first);
  const impatience = lockBackoff(lockTimeoutMs);
  const each = Math.max(1, Math.min(impatience, Math.floor(TOGETHER_MS / Math.max(1, others.length))));
  const all = [setLockTimeout(each), ...others, setLockTimeout(impatience)];
  await waiting(client.query(all.join("; ")), others.join("; "));
}

/** The shortest of all patience: where a person has set an even shorter lock timeout, that one. */
export function lockBackoff(lockTimeoutMs: number): number {
  return lockTimeoutMs === 0 ? LOCK_BACKOFF_MS : Math.min(LOCK_BACKOFF_MS, lockTimeoutMs);
}

const setLockTimeout = (milliseconds: number): string => `set local lock_timeout = ${milliseconds}`;

/** Says which lock was not free; the server does not. */
async function waiting(lock: Promise<unknown>, sql: string): Promise<void> {
  await lock.catch((error: unknown) => {
    const tables = sql.length > MOST_SHOWN ? `${sql.slice(0, MOST_SHOWN)}…` : sql;
    if (error instanceof Error) error.message = `${error.message} (${tables})`;
    throw error;
  });
}

const MOST_SHOWN = 300;

function lockStatement(key: string, lock: Lock): string {
  const id = parseId(key);
  if (id.kind !== "table") throw new Error(`no table: ${key}`);
  return `lock table only ${quoteQualified(id.schema, id.name)} in ${lock.toLowerCase()} mode`;
}

function shuffled<T>(items: T[]): T[] {
  for (let n = items.length - 1; n > 0; n--) {
    const other = Math.floor(Math.random() * (n + 1));
    const [a, b] = [items[n], items[other]];
    if (a !== undefined && b !== undefined) [items[n], items[other]] = [b, a];
  }
  return items;
}
