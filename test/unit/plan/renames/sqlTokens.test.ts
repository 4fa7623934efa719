import { expect, test } from "vitest";
import { sqlTokens } from "../../../../provider/plan/renames/sqlTokens.ts";

test("a literal, a name and a line of some megabytes are read as any other", () => {
  const long = "it''s ".repeat(2_000_000);
  const tokens = sqlTokens(
    `select '${long}', E'${long}\\'', "${'a""'.repeat(500_000)}"; ${"select 1; ".repeat(100_000)}`,
  );
  expect(tokens.slice(0, 8).map(({ kind }) => kind)).toEqual([
    "word",
    "text",
    "symbol",
    "text",
    "symbol",
    "quoted",
    "symbol",
    "word",
  ]);
  expect(tokens).toHaveLength(7 + 300_000);
});
