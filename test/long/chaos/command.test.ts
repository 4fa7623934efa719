import { expect, it } from "vitest";
import { killAtEveryBoundary } from "./everyBoundary.ts";

it("an update whose command is killed at any statement is finished by the next one, and its provider ends by itself", async () => {
  expect(await killAtEveryBoundary(["command"], 1, 3)).toEqual([]);
});
