import { expect, test } from "vitest";
import { reportAsJunit, reportAsTable } from "../../../tools/lib/reportText.ts";

const REPORT = {
  database: "u@h:1/d",
  result: "FAIL",
  report: [
    { name: "rls.1.1 enabled", status: "FAIL", measured: '25 < 26 & "more"', expected: "26" },
    { name: "table.present", status: "PASS", measured: "1 tables", expected: "1" },
    { name: "rows", status: "WARNING", measured: "+1", expected: "0" },
  ],
} as const;
const reports = [{ ...REPORT, report: [...REPORT.report] }];

test("a table has a line a check, those that do not pass last and with what was expected", () => {
  expect(reports.map(reportAsTable)).toEqual([
    [
      "u@h:1/d",
      "PASS     table.present    1 tables",
      'FAIL     rls.1.1 enabled  25 < 26 & "more"',
      "                          expected: 26",
      "WARNING  rows             +1",
      "                          expected: 0",
      "FAIL: 1 FAIL, 1 WARNING, 1 PASS",
    ].join("\n"),
  ]);
});

test("JUnit has a case a check, and nothing that XML does not allow", () => {
  expect(reportAsJunit(reports)).toBe(
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      "<testsuites>",
      '  <testsuite name="u@h:1/d" tests="3" failures="1" errors="0" skipped="0">',
      '    <testcase classname="rls" name="rls.1.1 enabled"><failure message="found 25 &lt; 26 &amp; &quot;more&quot;, expected 26"/></testcase>',
      '    <testcase classname="table" name="table.present"/>',
      '    <testcase classname="rows" name="rows"><system-out>WARNING: found +1, expected 0</system-out></testcase>',
      "  </testsuite>",
      "</testsuites>",
      "",
    ].join("\n"),
  );
});
