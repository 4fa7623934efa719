import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ModelPair, minimised, summary } from "../../long/fuzz/minimise.ts";
import { pairOf } from "../../long/fuzz/pair.ts";
import { printModel } from "../../long/fuzz/print.ts";
import { PropertyError, type RoundTrip, roundTrip } from "../../long/fuzz/roundTrip.ts";
import { createTestRole, type TestRole } from "../../support/database.ts";
import { project } from "../../support/layerHarness.ts";
import { majorVersion } from "../../support/majorVersion.ts";

/** `npm run test:fuzz` sets these; the sample of `npm test` is always the same. */
const SEED = Number(process.env.PGSTRATA_FUZZ_SEED ?? 1);
const RUNS = Number(process.env.PGSTRATA_FUZZ_RUNS ?? 3);
const MINIMISE_MS = Number(process.env.PGSTRATA_FUZZ_MINIMISE_MS ?? 60_000);
const isLong = process.env.PGSTRATA_FUZZ_RUNS !== undefined;
const RUN_TIMEOUT_MS = 120_000;

let role: TestRole;
beforeAll(async () => {
  role = await createTestRole({ prefix: 'fuzz "role"; --' });
});
afterAll(() => role.drop());

const total = { runs: 0, rows: 0, approvals: 0, withRefusedRows: 0, refused: 0 };
const failures = new Map<string, { seeds: number[]; report: string }>();

async function failureOf(pair: ModelPair): Promise<PropertyError | undefined> {
  try {
    await roundTrip(pair, { project, role: role.name });
    return undefined;
  } catch (error) {
    return error instanceof PropertyError ? error : new PropertyError("no error of ours", String(error), String(error));
  }
}

/** The smallest pair that fails like this one, as SQL. */
async function reportOf(seed: number, pair: ModelPair, { signature }: PropertyError): Promise<string> {
  const until = Date.now() + MINIMISE_MS;
  const small = await minimised(pair, async (candidate) => {
    if (Date.now() > until) return false;
    return (await failureOf(candidate))?.signature === signature;
  });
  const error = await failureOf(small);
  const sql = (["old", "next"] as const).flatMap((side) => [
    `-- ${side}`,
    ...printModel(small[side], role.name).map((file) => file.sql),
  ]);
  return [`seed ${seed}, PostgreSQL ${majorVersion}`, error?.message ?? "(it does not fail again)", ...sql].join("\n");
}

async function runOne(seed: number): Promise<void> {
  const [pair] = fc.sample(pairOf, { seed, numRuns: 1 });
  if (pair === undefined) throw new Error("fast-check gave no sample");
  total.runs += 1;
  const started = performance.now();
  const failure = await roundTrip(pair, { project, role: role.name }).then(count, (error: unknown) =>
    error instanceof PropertyError ? error : new PropertyError("no error of ours", String(error), String(error)),
  );
  if (isLong) {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `seed ${seed}: ${summary(pair.old)} → ${summary(pair.next)}: ${failure?.signature ?? "holds"} (${seconds} s)`,
    );
  }
  if (failure === undefined) return;
  const known = failures.get(failure.signature);
  if (known !== undefined) {
    known.seeds.push(seed);
    return;
  }
  const report = await reportOf(seed, pair, failure);
  failures.set(failure.signature, { seeds: [seed], report });
  if (isLong) console.log(`\n${report}\n`);
}

function count({ rows, approvals, refused, refusedForRows }: RoundTrip): undefined {
  total.rows += rows;
  total.approvals += approvals;
  total.withRefusedRows += refusedForRows.length > 0 ? 1 : 0;
  total.refused += refused.length > 0 ? 1 : 0;
}

describe("any declaration becomes any other", () => {
  test(
    "and back again, keeps the rows of what is kept, and is taken away whole",
    async () => {
      for (let run = 0; run < RUNS; run++) await runOne(SEED + run);
      if (isLong)
        console.log(`PostgreSQL ${majorVersion}, seeds ${SEED} to ${SEED + RUNS - 1}: ${JSON.stringify(total)}`);
      const reports = [...failures].map(
        ([signature, { seeds, report }]) => `${signature}\nseeds ${seeds.join(", ")}\n${report}`,
      );
      expect(reports.join("\n\n────\n\n")).toBe("");
      // Otherwise the properties would hold of nothing.
      expect(total.rows, "rows").toBeGreaterThan(RUNS);
      expect(total.refused, "pairs refused whatever the rows").toBeLessThanOrEqual(Math.ceil(RUNS / 10));
    },
    RUNS * (RUN_TIMEOUT_MS + MINIMISE_MS),
  );
});
