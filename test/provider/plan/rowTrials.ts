import { expect, test } from "vitest";
import { planStatements } from "../../../provider/plan/planStatements.ts";
import type { RowCheck } from "../../../provider/plan/rowChecks/rowCheck.ts";
import { majorVersion } from "../../support/majorVersion.ts";
import { ask, type Change, changeOf, listed, type Sample } from "./rowFixture.ts";

export const T = "create table app.t (id int primary key, v int, w text);";
export const SOME = "insert into app.t select g, nullif(g, 3), 'w' || (g % 4) from generate_series(1, 6) g;";

interface Trial extends Sample {
  /** What is found: count and what it is of; none where left out. */
  found?: string[];
  /** By what the found rows are listed. */
  keys?: string[];
  /** Makes the rows fit. */
  mend?: string;
  /** The first version of the server that has it. */
  since?: number;
}

const foundIn = (checks: readonly RowCheck[]): string[] =>
  checks.flatMap(({ question: { unit, obstacle, effect, isTriedBefore }, answer }) => {
    if (effect !== "refused" || answer.kind === "none" || (isTriedBefore && answer.kind === "unknown")) return [];
    if (answer.kind !== "found") return [`${answer.kind}: ${unit}s ${obstacle}`];
    return [`${answer.isMore ? "at least " : ""}${answer.count} ${unit}${answer.count === 1 ? "" : "s"} ${obstacle}`];
  });

/** Whether the server refuses the statements for the rows that are there. */
async function isRefused({ live, before, desired }: Change): Promise<boolean> {
  const client = await live.pool.connect();
  try {
    await client.query("begin");
    for (const { sql } of planStatements(before.facts, desired).statements) await client.query(sql);
    return false;
  } catch {
    return true;
  } finally {
    await client.query("rollback");
    client.release();
  }
}

/** One test for each change by which the rows and the server have to say the same. */
export function testTrials(samples: Record<string, Trial>): void {
  for (const [name, sample] of Object.entries(samples)) testTrial(name, sample);
}

function testTrial(name: string, sample: Trial): void {
  const { found = [], keys, mend, since = 15 } = sample;
  test.skipIf(majorVersion < since)(`${name}: the rows answer what the server would say`, async () => {
    const change = await changeOf(sample);
    const checks = await ask(change);
    expect(foundIn(checks).sort()).toEqual([...found].sort());
    expect(await isRefused(change)).toBe(found.length > 0);
    const [first] = checks.filter(({ answer }) => answer.kind === "found");
    if (keys !== undefined && first !== undefined) expect(await listed(change.live, first.question)).toEqual(keys);
    if (mend === undefined) return;
    await change.live.query(mend);
    expect(foundIn(await ask(change))).toEqual([]);
    expect(await isRefused(change)).toBe(false);
  });
}
