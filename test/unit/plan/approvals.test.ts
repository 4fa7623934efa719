import { expect, test } from "vitest";
import { approvalInLine, nameInApproval } from "../../../provider/catalog/objectNames.ts";
import { approvedBy } from "../../../provider/plan/approvals.ts";

test("an approval names an object by its parts, with dots between them", () => {
  expect(nameInApproval({ kind: "table", schema: "platform", name: "projects" })).toBe("platform.projects");
  expect(nameInApproval({ kind: "column", schema: "platform", table: "projects", name: "legacy" })).toBe(
    "platform.projects.legacy",
  );
});

test("no two objects have one name in approvals, whatever they are called", () => {
  const names = [
    nameInApproval({ kind: "table", schema: "a.b", name: "c" }),
    nameInApproval({ kind: "table", schema: "a", name: "b.c" }),
    nameInApproval({ kind: "table", schema: "a", name: '"b.c"' }),
    nameInApproval({ kind: "column", schema: "a", table: "b", name: "c" }),
  ];
  expect(new Set(names).size).toBe(names.length);
});

test("an approval whose name cannot stand in a line is written as a string", () => {
  expect(approvalInLine("drop-table:public.t")).toBe("drop-table:public.t");
  expect(approvalInLine("drop-table:public.new\nline")).toBe('"drop-table:public.new\\nline"');
  expect(approvalInLine("drop-table:public.trail ")).toBe('"drop-table:public.trail "');
});

test.each([
  ["drop-table:app.items", "drop-table:app.items"],
  ["drop-table:app.items (2026-11: replaced)", "drop-table:app.items"],
  ["drop-table:app.items (see (x))", "drop-table:app.items"],
  ["drop-table:app.items (see (x)) (2)", "drop-table:app.items"],
  ["drop-table:app.items (see x", "drop-table:app.items"],
  ['drop-table:app."Line (old) items" (so)', 'drop-table:app."Line (old) items"'],
  ['drop-table:app."a ""(b)"', 'drop-table:app."a ""(b)"'],
  ["refresh-view:app.f(integer) (twice (2))", "refresh-view:app.f(integer)"],
])("the note of %s is no part of what it approves of", (approval, expected) => {
  expect(approvedBy(approval)).toBe(expected);
});
