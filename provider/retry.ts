import { setTimeout as sleep } from "node:timers/promises";
import type { ProviderConfig } from "./config.ts";
import type { CallContext } from "./server/resource.ts";

/** Lock timeout, serialization failure, deadlock: the transaction was undone and may be run again as a whole. */
const RETRYABLE = new Set(["55P03", "40001", "40P01"]);

/**
 * Runs a whole transaction, and runs it again when it could not get a lock, up to `lockRetries` times, with a growing pause that
 * varies so that two that collide do not collide again.
 */
export async function withLockRetries<T>(
  { lockRetries }: Pick<ProviderConfig, "lockRetries">,
  { report, signal }: Pick<CallContext, "report" | "signal">,
  transaction: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      if (!isRetryable(error) || attempt > lockRetries) throw error;
      const pauseMs = Math.min(8000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2);
      report.info(
        `a lock was not free in time; nothing was changed; trying again in ${(pauseMs / 1000).toFixed(1)} s (${attempt} of ${lockRetries})`,
      );
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && RETRYABLE.has(String(error.code));
}
