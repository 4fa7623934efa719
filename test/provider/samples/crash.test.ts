import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { createPlatformCrash, type PlatformCrash } from "../../support/platformCrash.ts";
import { watch } from "../../support/watch.ts";

// A sample of what `npm run test:chaos` does at every statement.
let platform: PlatformCrash;
beforeAll(async () => {
  platform = await createPlatformCrash();
});
afterAll(() => platform?.close());

const freshDatabase = freshDatabases();

test.each(["terminated", "cut"] as const)(
  "the whole platform is made in the end, however often its connection is %s",
  async (how) => {
    const { statements, whole } = platform;
    const commit = statements.indexOf("commit") + 1;
    const points = [
      { number: commit - 100, side: "before" },
      { number: commit, side: "before" },
      { number: commit, side: how === "cut" ? "after" : "before" },
    ] as const;
    for (const point of points) {
      const { killedAt, message, watched } = await platform.runAndLose(point, how);
      expect(killedAt).toBeDefined();
      expect(message).toMatch(/connection to the database was lost/);
      expect(whole).toEqual(expect.arrayContaining(watched.seen.map((seen): unknown => JSON.parse(seen))));
    }
    // One that ends while it is being made was not there yet.
    const early = await platform.runAndLose({ number: 2, side: "before" }, how);
    expect(early.killedAt).toBeDefined();
    expect(early.message).toMatch(/cannot connect to/);
    await platform.converge();
    await platform.reset();
  },
  120_000,
);

test("a layer that were made step by step would be seen by the session that watches", async () => {
  const { url, query } = await freshDatabase();
  const watching = await watch(url, "select count(*)::int from pg_class where relname in ('half', 'other_half')");
  for (const table of ["half", "other_half"]) {
    await query(`create table ${table} (id int)`);
    await watching.look();
  }
  expect((await watching.stop()).seen).toEqual(["0", "1", "2"]);
});
