import { afterAll, beforeAll, expect, it } from "vitest";
import { type CrashStack, createCrashStack, type Victim } from "../support/crashStack.ts";
import type { Boundary } from "../support/statementProxy.ts";

// A sample of what `npm run test:chaos` does at every statement.
let stack: CrashStack;
beforeAll(async () => {
  stack = await createCrashStack();
});
afterAll(() => stack?.close());

/** The last statement of the update that begins like this. */
const numberOf = (beginning: string): number =>
  stack.statements.findLastIndex((sql) => sql.trim().startsWith(beginning)) + 1;

it.each([
  ["provider", "before", 'ALTER TABLE "shop"."item" ADD CONSTRAINT'],
  ["command", "after", "commit"],
  ["backend", "before", 'DROP INDEX CONCURRENTLY IF EXISTS "shop"."item_by_name"'],
  ["connection", "after", "with batch as"],
] satisfies [Victim, Boundary["side"], string][])(
  "an update whose %s is killed %s `%s` is finished by the next one",
  async (victim, side, beginning) => {
    await stack.reset();
    const { killedAt, problems, looks } = await stack.killAndRecover({ number: numberOf(beginning), side }, victim);
    expect(problems).toEqual([]);
    expect(killedAt).toContain(beginning);
    expect(looks).toBeGreaterThan(10);
  },
);
