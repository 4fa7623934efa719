import { afterAll, beforeAll, expect, it } from "vitest";
import { killRestoreAt } from "../long/chaos/killedRestore.ts";
import { createUpdatable, killUpdateAt } from "../long/chaos/killedStages.ts";
import { ask } from "../support/database.ts";
import type { ProcedureCrash } from "../support/procedureCrash.ts";
import { ROWS_DIGEST } from "../support/procedureProgram.ts";

// A sample of what `npm run test:chaos` does at every boundary between stages.
let crash: ProcedureCrash;
let rows: Record<string, unknown>[];
beforeAll(async () => {
  crash = await createUpdatable();
  rows = await ask(crash.url, ROWS_DIGEST);
});
afterAll(() => crash?.close());

it("an update that is killed during the proof of its backup is finished by the next one, which removes the half backup", async () => {
  expect(await killUpdateAt(crash, ["pulumi", "up", "--yes", "--skip-preview"], "during the proof")).toEqual([]);
});

it("a restore that is killed between its renames leaves the target open, and is done by the next one", async () => {
  await ask(crash.url, "delete from shop.items where id > 7");
  expect(await killRestoreAt(crash, "between the renames", rows)).toEqual([]);
});
