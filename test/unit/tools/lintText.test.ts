import { expect, test } from "vitest";
import type { Finding } from "../../../provider/lint/lintCatalog.ts";
import { formatLints } from "../../../tools/lib/lintText.ts";
import { parseLinted } from "../../../tools/lib/stackState.ts";

const finding = (level: Finding["level"], object: string): Finding => ({
  code: level === "INFO" ? "PGL403" : "PGL402",
  name: level === "INFO" ? "varchar-length" : "char-column",
  level,
  type: "table column",
  object,
  found: "character(3)",
  why: "It saves nothing.",
  mend: `ALTER TABLE ${object};`,
});

const report = {
  database: "u@h:1/d",
  findings: [finding("WARNING", "app.items.code"), finding("WARNING", "app.t.c"), finding("INFO", "app.t.d")],
  exempted: [{ code: "PGL402", object: "app.u.c", reason: "of another system" }],
  lints: 45,
};

test("findings of one lint stand apart where their levels differ", () => {
  const findings = (["ERROR", "WARNING"] as const).map((level) => ({ ...finding("WARNING", level), level }));
  const lines = formatLints({ ...report, findings }, "INFO").split("\n");
  expect(lines.filter((line) => line.includes("char-column"))).toEqual([
    "ERROR PGL402 char-column (docs/lints.md#pgl402-char-column)",
    "WARNING PGL402 char-column (docs/lints.md#pgl402-char-column)",
  ]);
});

test("findings stand by lint, each with the SQL that mends it, and those below the level are counted", () => {
  expect(formatLints(report, "WARNING")).toBe(
    [
      "u@h:1/d",
      "",
      "WARNING PGL402 char-column (docs/lints.md#pgl402-char-column)",
      "  It saves nothing.",
      "  app.items.code  character(3)",
      "      ALTER TABLE app.items.code;",
      "  app.t.c         character(3)",
      "      ALTER TABLE app.t.c;",
      "",
      "45 lints: 0 ERROR, 2 WARNING, 1 INFO; 1 exempt with a reason",
      "To leave an object as it is, add a line to its comment, or to that of its table or schema: lint-ignore <code>: <reason>",
    ].join("\n"),
  );
  expect(formatLints(report, "ERROR").split("\n")).toEqual([
    "u@h:1/d",
    "45 lints: 0 ERROR, 2 WARNING, 1 INFO; 1 exempt with a reason",
  ]);
  expect(formatLints(report, "INFO")).toContain("INFO PGL403 varchar-length");
});

test("a state tells the schemas that its verification lints", () => {
  const urn = "urn:pulumi:dev::p::pulumi:providers:pgstrata::target";
  const provider = { urn, type: "pulumi:providers:pgstrata", id: "7", inputs: { url: "postgresql://h/d" } };
  const verification = {
    urn: "urn:pulumi:dev::p::pgstrata:index:Verification::v",
    type: "pgstrata:index:Verification",
    id: "verification",
    provider: `${urn}::7`,
    inputs: { checks: ["checks"], lintSchemas: ["app"] },
  };
  const state = (...resources: object[]): string => JSON.stringify({ deployment: { resources } });
  expect(parseLinted(state(provider, verification))).toEqual([
    { provider: { url: "postgresql://h/d" }, schemas: ["app"] },
  ]);
  expect(parseLinted(state(provider))).toEqual([{ provider: { url: "postgresql://h/d" }, schemas: [] }]);
});
