/** How a drift report reads in a terminal. Finding drift is left to `provider/resources/driftReport.ts`. */
import { visible } from "../../provider/core/visible.ts";
import type { DriftReport } from "../../provider/resources/driftReport.ts";

/** The report for people: a line for each layer, and below it one for each difference. */
export function formatDrift(reports: readonly DriftReport[]): string {
  return reports.map((report) => [visible(report.database), ...linesOf(report)].join("\n")).join("\n\n");
}

function linesOf({ layers, notOurs, kept, rows, outdated }: DriftReport): string[] {
  return [
    ...layers.flatMap(({ layer, differs, missing, notOurs }) =>
      section(`layer ${visible(layer)}`, [
        ["differs", differs],
        ["missing", missing],
        ["not ours", notOurs],
      ]),
    ),
    ...(notOurs.length === 0 ? [] : section("in the same schemas", [["not ours", notOurs]])),
    ...(kept.length === 0 ? [] : section("dropped with rows", [["kept", kept]])),
    ...(outdated.length === 0 ? [] : section("collations", [["outdated", outdated]])),
    ...section("rows", [
      ["missing", rows.filter(({ missing }) => missing).map(({ row }) => row)],
      ["differs", rows.filter(({ missing }) => !missing).map(({ row, differs }) => `${row}: ${differs.join(", ")}`)],
    ]),
  ];
}

function section(title: string, parts: readonly (readonly [string, readonly string[]])[]): string[] {
  const lines = parts.flatMap(([what, names]) => names.map((name) => `    ${what.padEnd(8)}  ${visible(name)}`));
  return [`  ${title}${lines.length === 0 ? ": as the last update left it" : ""}`, ...lines];
}
