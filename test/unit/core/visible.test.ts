import { expect, test } from "vitest";
import { visible } from "../../../provider/core/visible.ts";
import { healthAsTable } from "../../../tools/health/healthText.ts";
import { reportAsTable } from "../../../tools/lib/reportText.ts";
import { formatRollback, formatUndo } from "../../../tools/rollback/reportText.ts";

const FORGED = "cache\nhealthy  \u001b[2Kall\u202e\u2028";
const SHOWN = "cache\\nhealthy  \\u001b[2Kall\\u202e\\u2028";

test("shows controls, ends of lines and turns of direction as escapes, and all else as it is", () => {
  expect(visible(FORGED)).toBe(SHOWN);
  expect(visible("Größe “👩‍👩‍👧” \\n")).toBe("Größe “👩‍👩‍👧” \\n");
});

test("a name of a registration forges no line of health, verification or rollback", () => {
  const health = { id: "", type: "redis", endpoint: FORGED, latencyMs: undefined, version: FORGED };
  const check = { name: FORGED, status: "FAIL" as const, measured: FORGED, expected: FORGED };
  const texts = [
    healthAsTable({
      database: "db",
      checkedAt: "now",
      registrations: [{ ...health, name: FORGED, result: "unhealthy", status: "unhealthy", error: FORGED }],
    }),
    reportAsTable({ database: "db", result: "FAIL", report: [check] }),
    formatRollback({ rolledBack: "rls", stack: "dev", archived: 0, elapsedMs: 1, budgetMs: 1, checks: [check] }),
    formatUndo({ stack: "dev", inserted: 1, updated: 0, notOpened: [FORGED], refused: [], elapsedMs: 1 }),
  ];
  for (const text of texts) {
    expect(text).toContain(SHOWN);
    for (const part of ["\u001b", "\u2028", "\nhealthy"]) expect(text).not.toContain(part);
  }
});
