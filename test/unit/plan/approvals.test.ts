import { expect, test } from "vitest";
import { approvalInLine, nameInApproval } from "../../../provider/catalog/objectNames.ts";

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
