/** How the findings of lints are printed for people. */
import type { Finding } from "../../provider/lint/lintCatalog.ts";
import { LEVELS, type Level } from "../../provider/lint/rule.ts";
import type { DatabaseLints } from "../../provider/resources/lintStack.ts";

/** Whether a finding is of a level, or of a worse one. */
export const isAtLeast = (level: Level, { level: found }: Pick<Finding, "level">): boolean =>
  LEVELS.indexOf(found) <= LEVELS.indexOf(level);

/** The findings by lint, each with the SQL that mends it; those below the level are only counted. */
export function formatLints({ database, findings, exempted, lints }: DatabaseLints, level: Level): string {
  const shown = findings.filter((finding) => isAtLeast(level, finding));
  const counts = LEVELS.map((each) => `${findings.filter((finding) => finding.level === each).length} ${each}`);
  const byLint = new Map<string, Finding[]>();
  for (const finding of shown) {
    const key = `${finding.level} ${finding.code}`;
    byLint.set(key, [...(byLint.get(key) ?? []), finding]);
  }
  return [
    database,
    ...[...byLint.values()].flatMap(section),
    ...(shown.length === 0 ? [] : [""]),
    `${lints} lints: ${counts.join(", ")}; ${exempted.length} exempt with a reason`,
    ...(shown.length === 0
      ? []
      : [
          "To leave an object as it is, add a line to its comment, or to that of its table or schema: lint-ignore <code>: <reason>",
        ]),
  ].join("\n");
}

function section(findings: readonly Finding[]): string[] {
  const [first] = findings;
  if (first === undefined) return [];
  const { level, code, name, why } = first;
  const width = Math.max(...findings.map(({ object }) => object.length));
  return [
    "",
    `${level} ${code} ${name} (docs/lints.md#${code.toLowerCase()}-${name})`,
    `  ${why}`,
    ...findings.flatMap(({ object, found, mend }) => [`  ${object.padEnd(width)}  ${found}`, `      ${mend}`]),
  ];
}
