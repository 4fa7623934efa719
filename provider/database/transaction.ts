/**
 * How long and how often a transaction is tried when other sessions hold locks. Which statements are in it is
 * the caller's matter; who blocks is found by `blockingSessions.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { ProviderConfig } from "../core/config.ts";
import { UserError } from "../core/errors.ts";
import { BlockerWatch } from "./blockingSessions.ts";
import { codeOf } from "./connectionError.ts";
import { againWhenLost } from "./lostConnection.ts";
import { refuseReadOnly } from "./readOnly.ts";
import { isOf } from "./sqlstate.ts";
import type { Database } from "./target.ts";

const FIRST_PAUSE_MS = 200;
const LONGEST_GROWN_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 6000;

/**
 * How long a try in the first half of the tries and of their time waits for a lock, at most: sessions that
 * come after it wait behind it. More patience is needed where longer transactions follow one another.
 */
export const SHORT_WAIT_MS = 700;

/** A try that is about to follow. */
export interface Retry {
  /** From 2. */
  attempt: number;
  /** Why the last one failed, and through whom where that is known. */
  reason: string;
  /** Until when it is tried, in milliseconds from now. */
  leftMs: number;
}

export interface TransactionOptions {
  /** Ends waiting between two tries, and prevents a further one. */
  signal?: AbortSignal;
  /** Told before each pause. */
  onRetry?: (retry: Retry) => void;
  /** The blocking sessions when a try failed; empty where they are not known. */
  blockers?: () => string;
  /** Undoes what the work did, for one that only looks. Default false. */
  isUndone?: boolean;
  /** What the tries have left behind, for the final message. Default: nothing. */
  outcome?: () => string;
}

type RetryLimits = Pick<ProviderConfig, "lockTimeoutMs" | "lockLimitMs" | "lockRetries">;
type Limits = RetryLimits & Pick<ProviderConfig, "statementTimeoutMs">;

/**
 * Runs `work` in one transaction with the configured time limits, and again as {@link withRetries} says. Any
 * other error rolls back and is thrown as it is.
 */
export async function inTransaction<T>(
  database: Database,
  limits: Limits,
  work: (client: pg.ClientBase) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  let watch: BlockerWatch | undefined;
  const once = (): Promise<T> =>
    runOnce(database, limits, options.isUndone === true, async (client) => {
      watch = new BlockerWatch(await database.pool(), client);
      return watch.during(() => work(client));
    });
  return withRetries(limits, once, { blockers: () => watch?.describe() ?? "", ...options });
}

/**
 * Runs a whole transaction, and runs it again after a lock timeout, a deadlock or a serialization failure,
 * with pauses, for `lockLimitMs` from the first failure and `lockRetries` times at most; so it must be
 * repeatable. Any other error is thrown as it is.
 *
 * @param transaction with how long this try may wait for a lock that others queue up behind, in milliseconds;
 *   0 for no limit.
 */
export async function withRetries<T>(
  limits: RetryLimits,
  transaction: (lockTimeoutMs: number) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  let endMs: number | undefined;
  let waitedMs = 0;
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    const startedMs = performance.now();
    try {
      const leftMs = endMs === undefined ? limits.lockLimitMs : endMs - startedMs;
      const isEarly = attempt <= limits.lockRetries / 2 && leftMs > limits.lockLimitMs / 2;
      return await transaction(isEarly ? Math.min(limits.lockTimeoutMs, SHORT_WAIT_MS) : limits.lockTimeoutMs);
    } catch (error) {
      const reason = contention(error);
      if (reason === undefined) throw error;
      const nowMs = performance.now();
      endMs ??= nowMs + limits.lockLimitMs;
      const leftMs = endMs - nowMs;
      const tookMs = nowMs - startedMs;
      const blockers = options.blockers?.() ?? "";
      const who = blockers === "" ? reason : `${reason} (${blockers})`;
      if (attempt > limits.lockRetries || leftMs <= 0) {
        throw givenUp(
          error,
          who,
          { attempt, forMs: waitedMs + tookMs },
          limits,
          options.outcome?.() ?? NOTHING_CHANGED,
        );
      }
      options.onRetry?.({ attempt: attempt + 1, reason: who, leftMs });
      const pauseMs = Math.min(pauseAfter(attempt, tookMs), leftMs);
      await pause(pauseMs, options.signal);
      waitedMs += tookMs + pauseMs;
    }
  }
}

const NOTHING_CHANGED = "nothing was changed";

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted(); // with its own reason
    throw error;
  }
}

async function runOnce<T>(
  database: Database,
  limits: Limits,
  isUndone: boolean,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  await refuseReadOnly(database);
  const client = await againWhenLost(() => begin(database, limits));
  let broken: Error | undefined;
  try {
    const result = await work(client);
    await client.query(isUndone ? "ROLLBACK" : "COMMIT");
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

/** A connection of the pool in a new transaction. */
async function begin(database: Database, limits: Limits): Promise<pg.PoolClient> {
  const client = await database.connect();
  try {
    await client.query(
      `BEGIN; SET LOCAL lock_timeout = ${milliseconds(limits.lockTimeoutMs)}; SET LOCAL statement_timeout = ${milliseconds(withWaiting(limits.statementTimeoutMs, limits.lockTimeoutMs))}`,
    );
    return client;
  } catch (error) {
    client.release(true);
    throw error;
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
  const code = codeOf(error);
  return isOf("contention", code) ? SHORT[code ?? ""] : undefined;
}

/** In the message of a try that follows. */
const SHORT: Record<string, string> = {
  "55P03": "another session holds a lock",
  "40P01": "deadlock with another session",
  "40001": "another session changed the same rows",
};

/**
 * A limit for a statement that may wait for a lock first, which the server counts as a part of its run; 0
 * stays no limit.
 */
export function withWaiting(statementTimeoutMs: number, lockTimeoutMs: number): number {
  return statementTimeoutMs === 0 || lockTimeoutMs === 0 ? 0 : statementTimeoutMs + lockTimeoutMs;
}

/**
 * Grows with each try, and is longer after a try that lasted long: those who waited behind it then get at
 * least as much time to themselves. The random half keeps two waiting runs from meeting again.
 */
function pauseAfter(attempt: number, tookMs: number): number {
  const grownMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_GROWN_PAUSE_MS);
  const longestMs = Math.min(Math.max(grownMs, 2 * tookMs), LONGEST_PAUSE_MS);
  return longestMs / 2 + (Math.random() * longestMs) / 2;
}

function givenUp(
  error: unknown,
  reason: string,
  { attempt, forMs }: { attempt: number; forMs: number },
  limits: RetryLimits,
  outcome: string,
): UserError {
  const said = error instanceof Error ? error.message : String(error);
  return new UserError(
    "PS302",
    `${reason}: ${said}. Tried ${attempt} times in ${Math.round(forMs / 1000)} s, each waiting at most ${limits.lockTimeoutMs} ms for a lock; ${outcome}. ` +
      "Find the blocking sessions with SELECT pid, usename, application_name, state, xact_start, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start; " +
      "end them or wait until they finish, and run again, preferably at a quieter time; or raise lockLimitMs (with lockRetries) or lockTimeoutMs",
  );
}
