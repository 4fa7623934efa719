import { afterEach, expect, it } from "vitest";

const before = Error.prepareStackTrace;
afterEach(() => {
  if (before !== undefined) Error.prepareStackTrace = before;
});

it("takes back what maps each stack trace of the program", async () => {
  Error.prepareStackTrace = () => "mapped";
  expect(new Error("before").stack).toBe("mapped");

  await import("../../../components/program/stackTraces.ts");

  expect(new Error("after").stack).toContain("stackTraces.test.ts");
});
