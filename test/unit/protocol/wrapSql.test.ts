import { describe, expect, it } from "vitest";
import { sqlLines } from "../../../provider/protocol/wrapSql.ts";

const columns = Array.from({ length: 30 }, (_, n) => `"column_${n}" numeric(10, 2) NOT NULL`);
const table = `CREATE TABLE "a"."b" (${columns.join(", ")})`;

describe("lines of SQL", () => {
  it("are left alone while they are short", () => {
    expect(sqlLines("CREATE SCHEMA a")).toEqual(["CREATE SCHEMA a"]);
    expect(sqlLines("a\n\n  b")).toEqual(["a", "", "  b"]);
  });

  it("are broken after commas, and say the same", () => {
    const lines = sqlLines(table);

    expect(lines.length).toBeGreaterThan(5);
    expect(lines.slice(0, -1).every((line) => line.endsWith(",") && Buffer.byteLength(line) <= 150)).toBe(true);
    expect(lines.join("\n").replaceAll("\n  ", " ")).toBe(table);
  });

  it("are broken at other spaces where there is no comma", () => {
    const condition = Array.from({ length: 20 }, (_, n) => `value_${n} > 0`).join(" AND ");
    const lines = sqlLines(`CHECK (${condition})`);

    expect(lines.every((line) => Buffer.byteLength(line) <= 150)).toBe(true);
    expect(lines.join("\n").replaceAll("\n  ", " ")).toBe(`CHECK (${condition})`);
  });

  it("count bytes, as the CLI does", () => {
    expect(sqlLines(`SELECT ${"ä".repeat(70)} ${"ö".repeat(10)}`)).toHaveLength(2);
  });

  const long = Array.from({ length: 60 }, () => "word,").join(" ");
  it.each([
    ["a literal", `COMMENT ON TABLE a IS 'it''s ${long}'`],
    ["a literal with escapes", `COMMENT ON TABLE a IS E'it\\'s ${long}'`],
    ["a name", `COMMENT ON TABLE "a "" ${long}" IS null`],
    ["a function's body", `AS $body$ x $$ ${long} $body$`],
    ["a comment", `-- it's ${long}`],
  ])("never break %s", (_what, sql) => {
    expect(sqlLines(sql).some((line) => line.includes(long))).toBe(true);
  });
});
