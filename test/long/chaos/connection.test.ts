import { expect, it } from "vitest";
import { killAtEveryBoundary } from "./everyBoundary.ts";

it("an update that loses its connection at any statement is finished by the next one", async () => {
  expect(await killAtEveryBoundary(["backend", "connection"], 2, 3)).toEqual([]);
});
