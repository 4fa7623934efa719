/** What checks answer, and the verdict on all of them. How a report is printed is left to the commands. */

/** From the best to the worst. */
export const STATUSES = ["PASS", "WARNING", "FAIL"] as const;
export type Status = (typeof STATUSES)[number];

/** One answer of a check. No text holds a value of a row. */
export interface CheckResult {
  name: string;
  status: Status;
  measured: string;
  expected: string;
}

/** The worst of all; a report without an answer has verified nothing. */
export function verdictOf(report: readonly CheckResult[]): Status {
  if (report.length === 0) return "FAIL";
  return STATUSES.findLast((status) => report.some((result) => result.status === status)) ?? "FAIL";
}

/** `1 FAIL, 2 WARNING, 70 PASS`, the worst first. */
export function countsOf(report: readonly CheckResult[]): string {
  return [...STATUSES]
    .reverse()
    .map((status) => ({ status, count: report.filter((result) => result.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`)
    .join(", ");
}
