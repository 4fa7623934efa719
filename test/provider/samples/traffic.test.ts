import { afterAll, expect, test } from "vitest";
import { SHORT_WAIT_MS } from "../../../provider/database/transaction.ts";
import { changes, withAndWithout } from "../../long/traffic/changes.ts";
import { corpusChanges } from "../../long/traffic/corpus.ts";
import { asTable, keptWaiting, type Measured, measureByHand, measureChange } from "../../long/traffic/measure.ts";

/**
 * A sample of each run of the tests; all changes, with the lock timeout of production, by `npm run
 * test:traffic`.
 */
const isFullRun = process.env.PGSTRATA_TRAFFIC === "all";
const lockTimeoutMs = isFullRun ? 3000 : 500;
const SAMPLE = new Set([
  ...withAndWithout.map(({ change }) => change.name),
  "add a column with a volatile default",
  "add a foreign key to a busy table",
]);

const measured: Measured[] = [];

afterAll(() => {
  if (isFullRun) console.log(`Lock timeout ${lockTimeoutMs} ms, 8 clients\n\n${asTable(measured)}`);
});

const all = [...changes, ...corpusChanges()];
for (const change of isFullRun ? all : all.filter(({ name }) => SAMPLE.has(name))) {
  test(`${change.name}: no client waits for longer than an early try, and none fails`, {
    timeout: 600_000,
  }, async () => {
    const result = await measureChange(change, lockTimeoutMs);
    measured.push(result);
    expect(result.failed).toEqual([]);
    expect(result.transactions).toBeGreaterThan(50);
    expect(
      keptWaiting(result, Math.min(lockTimeoutMs, SHORT_WAIT_MS), change.approvedMs),
      `${result.longestMs} ms in ${result.longestStatement}`,
    ).toBe(false);
  });
}

for (const { change, byHand } of withAndWithout) {
  test(`${change.name}, by hand: clients wait for too long, which shows that the measure can fail`, async () => {
    const result = await measureByHand(change, byHand, lockTimeoutMs);
    expect(keptWaiting(result, lockTimeoutMs), `${result.longestMs} ms`).toBe(true);
  });
}
