import type { PoolClient } from "pg";
import { encodeId, type FactBase, parseId } from "../../engine/pgDelta.ts";
import { quoteQualified } from "../../engine/quote.ts";
import type { Lock, Statement } from "../../engine/statements.ts";
import { tableOf } from "../../engine/tables.ts";

/** From weak to strong. */
const STRENGTH: Lock[] = ["none", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"];

/**
 * While some locks are held already, the next one is waited for no longer than this. It is far below the server's deadlock_timeout
 * (1 s by default): a deadlock with a client ends by our giving up, never by the server ending the client's transaction.
 */
const IMPATIENT_MS = 100;

/** Which tables of the database a transaction will lock, and how strongly. */
export function locksOf(statements: readonly Statement[], live: FactBase): Map<string, Lock> {
  const locks = new Map<string, Lock>();
  const need = (key: string, lock: Lock): void => {
    if (STRENGTH.indexOf(lock) > STRENGTH.indexOf(locks.get(key) ?? "none")) locks.set(key, lock);
  };
  const owned = foreignOwned(live);
  for (const { id, lock, consumes } of statements) {
    if (lock === "none" || lock === "SHARE UPDATE EXCLUSIVE" || id === undefined) continue;
    // A foreign key locks the table that it refers to as well.
    const touched = [id, ...(id.kind === "constraint" ? consumes.map((key) => parseId(key)) : [])];
    for (const object of touched) {
      const table = tableOf(object, live);
      if (table === undefined || !live.has(table) || owned.has(encodeId(table))) continue;
      need(encodeId(table), lock);
    }
  }
  return locks;
}

/** Tables of other owners: to lock one needs rights of its own, so its statement shall take the lock itself. */
function foreignOwned(live: FactBase): Set<string> {
  return new Set(live.edges.filter(({ kind }) => kind === "owner").map(({ from }) => encodeId(from)));
}

/**
 * Takes the locks of a transaction before its first statement. The first one is waited for up to the lock timeout while nothing is
 * held, the others, and those of the statements, hardly at all: who waits for us never waits for others through us. The order
 * changes from try to try, so that a table that is busy comes to be the first one waited for.
 */
export async function takeLocks(
  client: PoolClient,
  locks: ReadonlyMap<string, Lock>,
  lockTimeoutMs: number,
): Promise<void> {
  const [first, ...others] = shuffled([...locks]).map(([key, lock]) => lockStatement(key, lock));
  if (first === undefined) return;
  await waiting(client.query(first), first);
  const impatient = `set local lock_timeout = ${Math.min(IMPATIENT_MS, Math.max(1, lockTimeoutMs))}`;
  await waiting(client.query([impatient, ...others].join("; ")), others.join("; "));
}

/** Says which lock was not free; the server does not. */
async function waiting(lock: Promise<unknown>, sql: string): Promise<void> {
  await lock.catch((error: unknown) => {
    if (error instanceof Error) error.message = `${error.message} (${sql})`;
    throw error;
  });
}

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
