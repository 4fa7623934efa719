import { describe, expect, test } from "vitest";
import { type CheckResult, countsOf, verdictOf } from "../../../provider/verification/report.ts";
import { compareTimings, quantile, type Timing } from "../../../provider/verification/timeQueries.ts";

const query = { name: "q", path: "q.sql", roles: [], writes: false, statements: [] };
const time = (medianMs: number, spreadMs = 0.1, controlMs = 1): Timing => ({
  name: "q",
  medianMs,
  spreadMs,
  controlMs,
});
const status = (before: Timing | undefined, after: Timing | undefined, limit = 10): string | undefined =>
  compareTimings([query], before ? [before] : [], after ? [after] : [], limit)[0]?.status;

describe("a query is slower", () => {
  test.each([
    ["beyond the limit", time(100), time(115), 10, "FAIL"],
    ["within the limit", time(100), time(109), 10, "PASS"],
    ["beyond the limit of 5 %", time(100), time(109), 5, "FAIL"],
    ["by less than its runs differ", time(100, 20), time(115, 20), 10, "PASS"],
    ["by less than 2 ms", time(1), time(2.9), 10, "PASS"],
    ["as all of the server is", time(100), time(150, 0.1, 1.5), 10, "PASS"],
    ["although the server is faster", time(100), time(100, 0.1, 0.5), 10, "FAIL"],
    ["than a second", time(990), time(1001), 10, "FAIL"],
  ] as const)("%s", (_, before, after, limit, expected) => {
    expect(status(before, after, limit)).toBe(expected);
  });

  test("without a time before only the longest time counts, and one that cannot be run fails", () => {
    expect(status(undefined, time(999))).toBe("PASS");
    expect(status(undefined, time(1001))).toBe("FAIL");
    expect(status(time(1), undefined)).toBe("FAIL");
  });
});

test("a quantile lies between the values that it falls between", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([5], 0.25)).toBe(5);
});

test("the verdict is the worst answer, and none is no pass", () => {
  const of = (...statuses: CheckResult["status"][]): CheckResult[] =>
    statuses.map((each) => ({ name: each, status: each, measured: "", expected: "" }));
  expect(verdictOf([])).toBe("FAIL");
  expect(verdictOf(of("PASS"))).toBe("PASS");
  expect(verdictOf(of("PASS", "WARNING", "PASS"))).toBe("WARNING");
  expect(verdictOf(of("FAIL", "WARNING"))).toBe("FAIL");
  expect(countsOf(of("PASS", "FAIL", "PASS"))).toBe("1 FAIL, 2 PASS");
});
