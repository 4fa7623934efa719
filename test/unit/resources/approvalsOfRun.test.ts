import { expect, it } from "vitest";
import { approved } from "../../../provider/plan/approvals.ts";
import { approvalsOfRun } from "../../../provider/resources/layer/approvals.ts";

it("takes the approvals that a person gives to one run, one a line, each used up by its note", () => {
  const allow = approvalsOfRun({
    PGSTRATA_ALLOW: "drop-column:app.t.a (rollback, 10:00)\n\ndrop-table:app.u (rollback, 10:00)",
  });

  expect(approved({ allow, spent: [] })).toEqual(["drop-column:app.t.a", "drop-table:app.u"]);
  expect(approved({ allow, spent: ["drop-table:app.u (rollback, 10:00)"] })).toEqual(["drop-column:app.t.a"]);
  expect(approvalsOfRun({})).toEqual([]);
});
