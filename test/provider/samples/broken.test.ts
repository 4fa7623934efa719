import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type BreakageChoice, type BrokenPlan, brokenPlan } from "../../long/fuzz/broken.ts";
import { type ModelPair, summary } from "../../long/fuzz/minimise.ts";
import { pairOf } from "../../long/fuzz/pair.ts";
import { createTestRole, type TestRole } from "../../support/database.ts";
import { project } from "../../support/layerHarness.ts";
import { majorVersion } from "../../support/majorVersion.ts";

/** `npm run test:fuzz -- --broken` sets these; the sample of `npm test` is always the same. */
const SEED = Number(process.env.PGSTRATA_FUZZ_SEED ?? 1);
const RUNS = Number(process.env.PGSTRATA_FUZZ_RUNS ?? 2);
const isLong = process.env.PGSTRATA_FUZZ_RUNS !== undefined;
const RUN_TIMEOUT_MS = 240_000;

vi.mock("../../../provider/plan/planStatements.ts", async (original) => {
  const { breakable } = await import("../../support/brokenPlanner.ts");
  const module = await original<typeof import("../../../provider/plan/planStatements.ts")>();
  return { ...module, planSegments: breakable(module.planSegments) };
});

let role: TestRole;
beforeAll(async () => {
  role = await createTestRole({ prefix: "broken" });
});
afterAll(() => role.drop());

const brokenPair: fc.Arbitrary<[ModelPair, BreakageChoice]> = fc.tuple(
  pairOf,
  fc.record({ way: fc.nat(), statement: fc.nat({ max: 1000 }) }),
);

test(
  "a plan that is broken on purpose does the same or is refused, in the preview as in the update, and nothing is touched",
  async () => {
    const found: string[] = [];
    const results: BrokenPlan[] = [];
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const [[pair, choice] = []] = fc.sample(brokenPair, { seed, numRuns: 1 });
      if (pair === undefined || choice === undefined) throw new Error("fast-check gave no sample");
      const result = await brokenPlan(pair, choice, { project, role: role.name }).catch((error: unknown) => {
        found.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
      });
      if (result !== undefined) results.push(result);
      const said =
        result === undefined ? found.at(-1) : `${result.breakage ?? "as planned"}: ${result.outcome} ${result.code}`;
      if (isLong) console.log(`seed ${seed}: ${summary(pair.old)} → ${summary(pair.next)}: ${said}`);
    }
    if (isLong) console.log(tableOf(results));
    expect(found.join("\n\n")).toBe("");
    // Otherwise the property would hold of nothing.
    if (RUNS > 1) expect(results.some(({ outcome }) => outcome === "refused")).toBe(true);
  },
  RUNS * RUN_TIMEOUT_MS,
);

/** How often each way ended in what. */
function tableOf(results: readonly BrokenPlan[]): string {
  const rows = Map.groupBy(results, ({ breakage }) => breakage ?? "(as planned)");
  return [
    `PostgreSQL ${majorVersion}, seeds ${SEED} to ${SEED + RUNS - 1}`,
    ...[...rows].map(([breakage, ended]) => {
      const outcomes = Map.groupBy(ended, ({ outcome, code }) => `${outcome} ${code}`.trim());
      return `${breakage}: ${[...outcomes].map(([outcome, all]) => `${outcome} ${all.length}`).join(", ")}`;
    }),
  ].join("\n");
}
