import type { PoolClient } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hunt } from "../../long/fuzz/people/hunt.ts";
import { fileOf } from "../../long/fuzz/people/items.ts";
import { minimised } from "../../long/fuzz/people/minimise.ts";
import { pairOf } from "../../long/fuzz/people/pair.ts";
import { type Pair, settles } from "../../long/fuzz/people/settles.ts";
import { PropertyError } from "../../long/fuzz/roundTrip.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { project } from "../../support/layerHarness.ts";
import { majorVersion } from "../../support/majorVersion.ts";

/** `npm run test:fuzz -- --people` sets these; the sample of `npm test` is always the same. */
const SEED = Number(process.env.PGSTRATA_FUZZ_SEED ?? 1);
const RUNS = Number(process.env.PGSTRATA_FUZZ_RUNS ?? 10);
const MINIMISE_MS = Number(process.env.PGSTRATA_FUZZ_MINIMISE_MS ?? 30_000);
/** Leaves out what a server prints in two forms, to find other faults beside those. */
const SETTLED_ONLY = process.env.PGSTRATA_FUZZ_SETTLED_ONLY !== undefined;
/** Reads nothing but prints, and tells what a server prints in more than one form. */
const PRINTS_ONLY = process.env.PGSTRATA_FUZZ_PRINTS !== undefined;
const isLong = process.env.PGSTRATA_FUZZ_RUNS !== undefined;
const RUN_TIMEOUT_MS = 60_000;
const MOST_REFUSED = 0.25;
const MOST_UNREADABLE = 0.15;

let scratch: TestDatabase;
let client: PoolClient;
beforeAll(async () => {
  scratch = await createTestDatabase();
  client = await scratch.pool.connect();
});
afterAll(async () => {
  client.release();
  await scratch.drop();
});

const total = { runs: 0, unreadable: 0, items: 0, refused: 0, orphans: 0, seconds: 0 };
const failures = new Map<string, { seeds: number[]; report: string }>();

async function failureOf(pair: Pair, onUnreadable = (): void => {}): Promise<PropertyError | undefined> {
  try {
    if ((await settles(pair, project)) === "unreadable") onUnreadable();
    return undefined;
  } catch (error) {
    return error instanceof PropertyError ? error : new PropertyError("no error of ours", String(error), String(error));
  }
}

/** The smallest pair that fails like this one, as SQL. */
async function reportOf(pair: Pair, change: string, { signature }: PropertyError): Promise<string> {
  const until = Date.now() + MINIMISE_MS;
  const small = await minimised(pair, async (candidate) => {
    if (Date.now() > until) return false;
    return (await failureOf(candidate))?.signature === signature;
  });
  const error = await failureOf(small);
  const sides = small.changed.length === 0 ? "" : `-- the change: ${change}\n-- after it:\n${fileOf(small.changed)}`;
  const message = error?.message ?? "(it does not fail again)";
  return `seed ${pair.seed}, PostgreSQL ${majorVersion}\n${message}\n-- before:\n${fileOf(small.items)}\n${sides}`;
}

async function runOne(seed: number): Promise<void> {
  const started = performance.now();
  const pair = await pairOf(client, seed, majorVersion, SETTLED_ONLY);
  total.items += pair.all;
  total.refused += pair.refused.length;
  total.orphans += pair.orphans;
  total.runs += 1;
  const failure = await failureOf(pair, () => (total.unreadable += 1));
  const seconds = (performance.now() - started) / 1000;
  total.seconds += seconds;
  if (isLong)
    console.log(`seed ${seed}: ${pair.items.length} items: ${failure?.signature ?? "holds"} (${seconds.toFixed(1)} s)`);
  if (failure === undefined) return;
  const known = failures.get(failure.signature);
  if (known !== undefined) {
    known.seeds.push(seed);
    return;
  }
  const report = await reportOf(pair, pair.change, failure);
  failures.set(failure.signature, { seeds: [seed], report });
  if (isLong) console.log(`\n${report}\n`);
}

describe("definitions as people write them", () => {
  test.runIf(PRINTS_ONLY)("are printed so", { timeout: RUNS * RUN_TIMEOUT_MS }, async () => {
    console.log(
      await hunt(
        client,
        Array.from({ length: RUNS }, (_, run) => SEED + run),
        majorVersion,
      ),
    );
  });

  test.skipIf(PRINTS_ONLY)(
    "settle, however the database was made",
    async () => {
      for (let run = 0; run < RUNS; run++) await runOne(SEED + run);
      const share = total.refused / total.items;
      if (isLong)
        console.log(
          `PostgreSQL ${majorVersion}, seeds ${SEED} to ${SEED + RUNS - 1}: ${JSON.stringify({ ...total, share })}`,
        );
      const reports = [...failures].map(
        ([signature, { seeds, report }]) => `${signature}\nseeds ${seeds.join(", ")}\n${report}`,
      );
      expect(reports.join("\n\n────\n\n")).toBe("");
      // Otherwise the property would hold of nothing.
      expect(share, "share of items that the server refuses").toBeLessThanOrEqual(MOST_REFUSED);
      expect(total.unreadable, "schemas that the server cannot make").toBeLessThanOrEqual(
        Math.ceil(total.runs * MOST_UNREADABLE),
      );
    },
    RUNS * (RUN_TIMEOUT_MS + MINIMISE_MS),
  );
});
