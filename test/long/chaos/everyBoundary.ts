import { createCrashStack, type Victim } from "../../support/crashStack.ts";
import { killPoints } from "./killPoints.ts";
import { counter, shareOf } from "./report.ts";

/** After so many kills the stack is destroyed, too; more often after those that had changed the catalog. */
const DESTROY_EVERY = 10;
const DESTROY_EVERY_CHANGED = 3;

/** Kills an update by the CLI at every boundary, and gives back what was not as it must be, a text each. */
export async function killAtEveryBoundary(victims: readonly Victim[], turn: number, turns: number): Promise<string[]> {
  const stack = await createCrashStack();
  try {
    const points = shareOf(killPoints(stack.statements, turn, turns));
    const { counts, add, save } = counter(victims.join(" or "), points.length);
    const failures: string[] = [];
    let destroys = 0;
    for (const [n, point] of points.entries()) {
      // An answer that was given cannot be lost by the server's end of the connection alone.
      const possible = point.side === "after" ? victims.filter((one) => one !== "backend") : victims;
      const victim = possible[n % possible.length];
      if (victim === undefined) continue;
      await stack.reset();
      const { killedAt, looks, problems, changed } = await stack.killAndRecover(point, victim);
      // A kill between a commit and the writing of the state is what may make a destroy forget something.
      if (problems.length === 0 && (n + 1) % (changed ? DESTROY_EVERY_CHANGED : DESTROY_EVERY) === 0) {
        destroys += 1;
        const left = await stack.destroy();
        if (left.length > 0) problems.push(`destroy left ${left.join(", ")}`);
      }
      add(killedAt, looks, problems);
      failures.push(
        ...problems.map((problem) => `${victim} killed ${point.side} ${point.number} ${killedAt}: ${problem}`),
      );
    }
    counts.notes.push(`${counts.victim}: ${destroys} of the runs were destroyed as well`);
    save();
    return failures;
  } finally {
    await stack.close();
  }
}
