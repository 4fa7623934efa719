import { expect, it } from "vitest";
import { proposesChanges } from "../../../tools/lib/preview.ts";

const log = (resourceChanges: Record<string, number>): string =>
  [
    { sequence: 1, preludeEvent: {} },
    { sequence: 2, summaryEvent: { isPreview: true, resourceChanges } },
    { sequence: 3, cancelEvent: {} },
  ]
    .map((event) => JSON.stringify(event))
    .join("\n");

it("finds that nothing would change only where all resources stay as they are", () => {
  expect(proposesChanges(log({ same: 35 }))).toBe(false);
  expect(proposesChanges(log({ same: 34, update: 1 }))).toBe(true);
});

it("takes a log without a summary for changes", () => {
  expect(proposesChanges('{"sequence":1}')).toBe(true);
});
