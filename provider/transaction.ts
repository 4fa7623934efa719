import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { ProviderConfig } from "./config.ts";
import { codeOf } from "./database/connectionError.ts";
import type { Database } from "./database.ts";
import { UserError } from "./userError.ts";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

const LOCK_TIMEOUT = "55P03";
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK = "40P01";

export interface TransactionOptions {
  /** Ends waiting between two tries, and prevents a further one. */
  signal?: AbortSignal;
  /** Told before each pause; `attempt` is the number of the coming try, from 2. */
  onRetry?: (attempt: number, tries: number, reason: string) => void;
}

type Limits = Pick<ProviderConfig, "lockTimeoutMs" | "lockRetries" | "statementTimeoutMs">;

/**
 * Runs `work` in one transaction with the configured time limits, and again as {@link withRetries} says. Any other error rolls back
 * and is thrown as it is.
 */
export async function inTransaction<T>(
  database: Database,
  limits: Limits,
  work: (client: pg.ClientBase) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  return withRetries(limits, () => runOnce(database, limits, work), options);
}

/**
 * Runs a whole transaction, and runs it again after a lock timeout, a deadlock or a serialization failure, `lockRetries` times at
 * most, after a growing pause; so it must be repeatable. Any other error is thrown as it is.
 */
export async function withRetries<T>(
  limits: Limits,
  transaction: () => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const tries = limits.lockRetries + 1;
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      return await transaction();
    } catch (error) {
      const reason = contention(error);
      if (reason === undefined) throw error;
      if (attempt >= tries) throw givenUp(error, reason, tries, limits);
      options.onRetry?.(attempt + 1, tries, reason);
      await pause(attempt, options.signal);
    }
  }
}

async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(pauseBefore(attempt), undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted(); // with its own reason
    throw error;
  }
}

async function runOnce<T>(database: Database, limits: Limits, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await database.connect();
  let broken: Error | undefined;
  try {
    await client.query(
      `BEGIN; SET LOCAL lock_timeout = ${milliseconds(limits.lockTimeoutMs)}; SET LOCAL statement_timeout = ${milliseconds(limits.statementTimeoutMs)}`,
    );
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    try {
      await client.query("ROLLBACK");
    } catch (failure) {
      broken = failure instanceof Error ? failure : new Error(String(failure)); // not to be used again
    }
    throw error;
  } finally {
    client.release(broken);
  }
}

function milliseconds(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not a number of milliseconds: ${value}`);
  return `'${value}ms'`;
}

/** Whether another session was in the way, so that running the transaction again may help. */
export function isContention(error: unknown): boolean {
  return contention(error) !== undefined;
}

function contention(error: unknown): string | undefined {
  switch (codeOf(error)) {
    case LOCK_TIMEOUT:
      return "another session holds a lock";
    case DEADLOCK:
      return "deadlock with another session";
    case SERIALIZATION_FAILURE:
      return "another session changed the same rows";
    default:
      return undefined;
  }
}

/** Doubles with each try; the random half keeps two waiting runs from meeting again. */
function pauseBefore(attempt: number): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  return longest / 2 + (Math.random() * longest) / 2;
}

function givenUp(error: unknown, reason: string, tries: number, limits: Limits): UserError {
  const said = error instanceof Error ? error.message : String(error);
  return new UserError(
    `${reason}: ${said}. Tried ${tries} times, each waiting at most ${limits.lockTimeoutMs} ms for a lock; nothing was changed. ` +
      "Find the session with SELECT pid, state, query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) = 0 AND xact_start IS NOT NULL, " +
      "end it or wait, and run again; or raise lockTimeoutMs or lockRetries",
  );
}
