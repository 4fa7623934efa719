/** How the report of a verification is written: as a table for people, and as JUnit for CI. */
import { visible } from "../../provider/core/visible.ts";
import type { StackReport } from "../../provider/resources/verifyStack.ts";
import { type CheckResult, countsOf } from "../../provider/verification/report.ts";

/** A line a check; those that do not pass also say what was expected, and stand last, where they are seen. */
export function reportAsTable({ database, result, report }: StackReport): string {
  const width = Math.max(...report.map(({ name }) => visible(name).length), 0);
  const all = report.map((each) => ({
    ...each,
    name: visible(each.name),
    measured: visible(each.measured),
    expected: visible(each.expected),
  }));
  const passed = all.filter(({ status }) => status === "PASS");
  const others = all.filter(({ status }) => status !== "PASS");
  const line = ({ name, status, measured }: CheckResult): string =>
    `${status.padEnd(7)}  ${name.padEnd(width)}  ${measured}`;
  return [
    database,
    ...passed.map(line),
    ...others.flatMap((each) => [line(each), `${" ".repeat(9)}${" ".repeat(width)}  expected: ${each.expected}`]),
    `${result}: ${countsOf(report)}`,
  ].join("\n");
}

/** One suite a database, in the form that Jenkins defined and CI services read. */
export function reportAsJunit(reports: readonly StackReport[]): string {
  const suites = reports.map(({ database, report }) => {
    const failures = report.filter(({ status }) => status === "FAIL").length;
    return [
      `  <testsuite name="${xml(database)}" tests="${report.length}" failures="${failures}" errors="0" skipped="0">`,
      ...report.map(testcase),
      "  </testsuite>",
    ].join("\n");
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...suites, "</testsuites>", ""].join("\n");
}

function testcase({ name, status, measured, expected }: CheckResult): string {
  const [group = name] = name.split(/[. ]/);
  const head = `    <testcase classname="${xml(group)}" name="${xml(name)}"`;
  const text = xml(`found ${measured}, expected ${expected}`);
  if (status === "PASS") return `${head}/>`;
  if (status === "WARNING") return `${head}><system-out>WARNING: ${text}</system-out></testcase>`;
  return `${head}><failure message="${text}"/></testcase>`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** Text within XML, and within HTML. */
export function xml(text: string): string {
  // What XML cannot hold at all is left out.
  const characters = [...text].filter((character) => character >= " " || /[\t\n\r]/.test(character)).join("");
  return characters.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
