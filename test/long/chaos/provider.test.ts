import { expect, it } from "vitest";
import { killAtEveryBoundary } from "./everyBoundary.ts";

it("an update whose provider is killed at any statement is finished by the next one", async () => {
  expect(await killAtEveryBoundary(["provider"], 0, 3)).toEqual([]);
});
