import { expect, it } from "vitest";
import { createPlatformCrash } from "../../support/platformCrash.ts";
import { counter, shareOf } from "./report.ts";

/** So many losses in a row are survived before a run goes through. */
const CONVERGE_EVERY = 5;

it("the whole platform is made in the end, however often and wherever the connection is lost", async () => {
  const platform = await createPlatformCrash();
  try {
    const { statements, whole } = platform;
    const all = statements.flatMap((sql, n) => [
      { number: n + 1, side: "before" } as const,
      ...(/^commit$/i.test(sql) ? [{ number: n + 1, side: "after" } as const] : []),
    ]);
    const points = shareOf(all);
    const { add } = counter("connection, whole platform", points.length);
    const failures: string[] = [];
    for (const [n, point] of points.entries()) {
      const how = point.side === "after" || n % 2 === 0 ? "cut" : "terminated";
      const { killedAt, message, watched } = await platform.runAndLose(point, how);
      const problems = watched.seen.filter((seen) => !whole.includes(JSON.parse(seen))).map((seen) => `seen: ${seen}`);
      if (message !== undefined && !/connection to the database was lost|cannot connect to/.test(message))
        problems.push(message);
      const changed = (await platform.standing()) !== whole[0];
      if (changed || n % CONVERGE_EVERY === 0) {
        await platform.converge().catch((error: unknown) => problems.push(String(error)));
        await platform.reset();
      }
      add(killedAt, watched.looks, problems);
      failures.push(...problems.map((problem) => `${how} ${point.side} ${point.number} ${killedAt}: ${problem}`));
    }
    expect(failures).toEqual([]);
  } finally {
    await platform.close();
  }
});
