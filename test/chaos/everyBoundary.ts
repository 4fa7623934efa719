import { createCrashStack, type Victim } from "../support/crashStack.ts";
import { killPoints } from "./killPoints.ts";
import { counter, shareOf } from "./report.ts";

/** After so many kills the stack is destroyed, too. */
const DESTROY_EVERY = 10;

/** Kills an update by the CLI at every boundary, and gives back what was not as it must be, a text each. */
export async function killAtEveryBoundary(victims: readonly Victim[], turn: number, turns: number): Promise<string[]> {
  const stack = await createCrashStack();
  try {
    const points = shareOf(killPoints(stack.statements, turn, turns));
    const { counts, add } = counter(victims.join(" or "), points.length);
    const failures: string[] = [];
    for (const [n, point] of points.entries()) {
      // An answer that was given cannot be lost by the server's end of the connection alone.
      const possible = point.side === "after" ? victims.filter((one) => one !== "backend") : victims;
      const victim = possible[n % possible.length];
      if (victim === undefined) continue;
      await stack.reset();
      const { killedAt, looks, problems, changed } = await stack.killAndRecover(point, victim);
      if ((n + 1) % DESTROY_EVERY === 0 && problems.length === 0) {
        const left = await stack.destroy();
        // What a killed run committed without the state knowing is taken for something that was there before.
        if (changed && left.length > 0) counts.notes.push(`destroy after ${killedAt} left ${left.join(", ")}`);
        else if (left.length > 0) problems.push(`destroy left ${left.join(", ")}`);
      }
      add(killedAt, looks, problems);
      failures.push(
        ...problems.map((problem) => `${victim} killed ${point.side} ${point.number} ${killedAt}: ${problem}`),
      );
    }
    return failures;
  } finally {
    await stack.close();
  }
}
