import { expect, test } from "vitest";
import { formatMatrix, matrixPage, readMatrix } from "../../../tools/lib/rlsMatrix.ts";

const MATRIX = {
  rows: [
    { table: "t", command: "select", rule: "t_select", owner: "org", member: "org", outsider: "none", system: "all" },
    { table: "t", command: "delete", rule: "-", owner: "none", member: "none", outsider: "none", system: "none" },
  ],
  statements: [
    { about: "view v", statement: "select from v where n < 1", owner: "yes/none", member: "refused", system: "yes" },
  ],
};

test("a line says which roles reach what, and leaves out those that reach nothing", () => {
  const text = formatMatrix(MATRIX);
  expect(text).toMatch(/^t\n {2}select {2}t_select +org: owner, member; all: system\n {2}delete {2}- +no role$/m);
  expect(text).toContain("view v\n  select from v where n < 1\n  yes/none: owner; yes: system\n");
});

test("the page has every cell, loads nothing, and marks what spans tenants", () => {
  const page = matrixPage(MATRIX);
  expect(page).toContain(
    '<td><code>t</code></td><td><code>select</code></td><td><code>t_select</code></td><td class="some">org</td>' +
      '<td class="some">org</td><td class="nothing">none</td><td class="wide">all</td>',
  );
  expect(page).toContain(
    '<code>select from v where n &lt; 1</code></td><td class="some">yes/none</td><td class="nothing">refused</td><td class="wide">yes</td>',
  );
  expect(page).not.toMatch(/<script|<link|src=|href=|url\(/);
});

test("the tables of the repository are printed whole: each line has a cell for each role", () => {
  const { rows, statements } = readMatrix();
  const roles = (line: Record<string, string>): string[] => Object.keys(line).slice(-15);
  expect(roles(rows[0] ?? {})).toEqual(roles(statements[0] ?? {}));
  for (const line of [...rows, ...statements]) expect(Object.values(line)).not.toContain("");
  expect(matrixPage({ rows, statements }).match(/<tr>/g)).toHaveLength(rows.length + statements.length + 11);
});
