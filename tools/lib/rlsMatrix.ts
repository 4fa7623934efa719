/** Who reaches what under restrictive policies: the reviewable tables of expected cells, for people. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { projectRoot } from "./paths.ts";
import { xml } from "./reportText.ts";

/** A line of a table of expected cells, by column. */
export type Line = Record<string, string>;

export interface Matrix {
  /** By table and command: the policy, and the rows that each role reaches. */
  rows: Line[];
  /** By what a statement is about: the statement, and what it comes to for each role. */
  statements: Line[];
}

const FOLDER = join(projectRoot, "test", "fixtures", "expected");

export const readMatrix = (): Matrix => ({ rows: read("rls-matrix"), statements: read("rls-statements") });

const read = (name: string): Line[] =>
  parse<Line>(readFileSync(join(FOLDER, `${name}.csv`), "utf8"), { columns: true });

const LEGEND: [string, string][] = [
  ["org", "rows of the organization in which the user has the role of the column"],
  ["project", "rows of the project whose member the user is, without belonging to the organization"],
  ["own", "rows of the user itself"],
  ["below", "org or project, but for owners; of a project, but for owners and admins"],
  ["all, none", "every row, no row"],
  ["yes, none", "the statement finds or changes rows, or none"],
  ["refused", "the statement is an error for want of a right, or by a policy or a guard"],
  ["taken, unknown", "the error of a unique constraint, of a foreign key"],
  ["x/y", "x for the tenant of the column's user, y for the other tenant"],
];

/** A line's own columns, and its cells by role. */
function partsOf(line: Line): { heads: string[]; cells: [string, string][] } {
  const { table, command, rule, about, statement, ...cells } = line;
  return {
    heads: [table, command, rule, about, statement].filter((head) => head !== undefined),
    cells: Object.entries(cells),
  };
}

/** One line for each line of the tables: the roles by what they reach, without those that reach nothing. */
export function formatMatrix({ rows, statements }: Matrix): string {
  const lines = rows.map((line) => {
    const { heads, cells } = partsOf(line);
    const [table = "", command = "", rule = ""] = heads;
    return { title: table, text: `  ${command.padEnd(6)}  ${rule.padEnd(33)}  ${byWord(cells, ["none"])}` };
  });
  const tables = [...new Set(lines.map(({ title }) => title))].flatMap((table) => [
    "",
    table,
    ...lines.filter(({ title }) => title === table).map(({ text }) => text),
  ]);
  const others = statements.flatMap((line) => {
    const { heads, cells } = partsOf(line);
    const [about = "", statement = ""] = heads;
    return ["", about, `  ${statement}`, `  ${byWord(cells, ["none", "refused"])}`];
  });
  const legend = LEGEND.map(([word, meaning]) => `  ${word.padEnd(14)}  ${meaning}`);
  return [
    "Rows of tables, by command and policy",
    ...tables,
    "",
    "Views, functions, columns and constraints",
    ...others,
    "",
    "Words",
    ...legend,
  ].join("\n");
}

function byWord(cells: [string, string][], nothing: string[]): string {
  const words = [...new Set(cells.map(([, word]) => word))].filter((word) => !nothing.includes(word));
  if (words.length === 0) return "no role";
  const rolesOf = (word: string): string => cells.flatMap(([role, cell]) => (cell === word ? [role] : [])).join(", ");
  return words.map((word) => `${word}: ${rolesOf(word)}`).join("; ");
}

const STYLE = `
  body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; }
  table { border-collapse: collapse; margin-bottom: 2em; }
  th, td { border: 1px solid #ddd; padding: 2px 6px; text-align: left; vertical-align: top; }
  thead th { position: sticky; top: 0; background: #fff; }
  code { font-size: 12px; }
  .nothing { color: #999; }
  .wide { background: #fde9c8; }
  .some { background: #e3f3e3; }`;

/** The tables in full as one page that loads nothing. */
export function matrixPage({ rows, statements }: Matrix): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Row-level security: who reaches what</title><style>${STYLE}
</style></head>
<body>
<h1>Row-level security: who reaches what</h1>
<table><tbody>
${LEGEND.map((line) => `<tr>${line.map((cell) => `<td>${xml(cell)}</td>`).join("")}</tr>`).join("\n")}
</tbody></table>
<h2>Rows of tables, by command and policy</h2>
${table(rows)}
<h2>Views, functions, columns and constraints</h2>
${table(statements)}
</body>
</html>
`;
}

function table(lines: Line[]): string {
  const head = Object.keys(lines[0] ?? {}).map((name) => `<th>${xml(name.replaceAll("_", " "))}</th>`);
  const body = lines.map((line) => {
    const { heads, cells } = partsOf(line);
    const named = heads.map((text) => `<td><code>${xml(text)}</code></td>`);
    const words = cells.map(([, word]) => `<td class="${kindOf(word)}">${xml(word)}</td>`);
    return `<tr>${[...named, ...words].join("")}</tr>`;
  });
  return `<table><thead><tr>${head.join("")}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table>`;
}

/** Rows of both tenants stand out; so does what an error tells. */
function kindOf(word: string): string {
  if (["none", "refused", "refused/none", "none/refused"].includes(word)) return "nothing";
  const [own, other = own] = word.split("/");
  return word === "all" || other === "yes" || own === "taken" || own === "unknown" ? "wide" : "some";
}
