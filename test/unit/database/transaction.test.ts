// The tries of a transaction that meets locks, without a database.
import pg from "pg";
import { expect, test } from "vitest";
import { SHORT_WAIT_MS, withRetries } from "../../../provider/database/transaction.ts";

function lockNotAvailable(): Error {
  const error = new pg.DatabaseError("canceling statement due to lock timeout", 0, "error");
  error.code = "55P03";
  return error;
}

/** How long each try may wait, when none gets its lock. */
async function waits(limits: { lockTimeoutMs: number; lockLimitMs: number; lockRetries: number }): Promise<number[]> {
  const waited: number[] = [];
  const tries = withRetries(limits, async (lockTimeoutMs) => {
    waited.push(lockTimeoutMs);
    throw lockNotAvailable();
  });
  await expect(tries).rejects.toThrow(/Tried \d+ times/);
  return waited;
}

test("early tries wait for a short time, so that no client waits for long behind them, and late ones for the whole timeout", async () => {
  const byTime = await waits({ lockTimeoutMs: 3000, lockLimitMs: 1200, lockRetries: 100 });
  expect(byTime.slice(0, 2)).toEqual([SHORT_WAIT_MS, SHORT_WAIT_MS]);
  expect(byTime.at(-1)).toBe(3000);
  const byNumber = await waits({ lockTimeoutMs: 3000, lockLimitMs: 60_000, lockRetries: 2 });
  expect(byNumber).toEqual([SHORT_WAIT_MS, 3000, 3000]);
});

test("a shorter timeout, no limit, and a transaction that is not tried again are left as they are", async () => {
  expect(await waits({ lockTimeoutMs: 50, lockLimitMs: 60_000, lockRetries: 2 })).toEqual([50, 50, 50]);
  expect(await waits({ lockTimeoutMs: 0, lockLimitMs: 60_000, lockRetries: 2 })).toEqual([0, 0, 0]);
  expect(await waits({ lockTimeoutMs: 3000, lockLimitMs: 60_000, lockRetries: 0 })).toEqual([3000]);
  expect((await waits({ lockTimeoutMs: 3000, lockLimitMs: 0, lockRetries: 9 })).at(0)).toBe(3000);
});
