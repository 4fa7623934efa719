/** What stops a plan: hazards that a layer's `allow` does not approve of, rows that a statement refuses. */
import { approvalInLine } from "../catalog/objectNames.ts";
import { UserError } from "../core/errors.ts";
import type { LayerPlan } from "./plan.ts";
import { askRename } from "./renames/suspected.ts";
import { refusedByRows } from "./rowChecks/report.ts";

/**
 * Stops a plan with a hazard that can lose data or block writes and that was not approved, and one that rows
 * do not allow; asks where a rename may be meant.
 *
 * @param allow approvals of the layer.
 * @param allowedBefore approvals that the last update had already: one that has done its work may stay.
 * @throws {UserError} that names each hazard with its approval; also for a new approval that matches nothing,
 *   because a misspelt one would leave its author believing that something was approved.
 */
export function refuseHazards(
  { assessed, questions, rowChecks }: LayerPlan,
  allow: readonly string[],
  allowedBefore: readonly string[],
): void {
  const hazards = assessed.flatMap(({ hazards }) => hazards);
  const open = questions.filter(({ approval }) => !allow.includes(approval));
  const asked = new Set(open.map(({ approval }) => approval));
  const stopping = hazards.filter(({ stops, approval }) => stops && !allow.includes(approval) && !asked.has(approval));
  const question = ["Stopped before the first statement with a question:", ...open.flatMap(askRename)].join("\n");
  if (open.length > 0 && stopping.length === 0) throw new UserError(`${question}\nNothing was changed.`);
  // What is asked of the rows of a new column is idle while that may be a renamed one.
  const refused = open.length > 0 ? [] : refusedByRows(rowChecks);
  const rows =
    refused.length === 0 ? [] : ["Stopped before the first statement, because of rows that are there:", ...refused];
  if (rows.length > 0 && stopping.length === 0) throw new UserError([...rows, "Nothing was changed."].join("\n"));
  if (stopping.length > 0) {
    throw new UserError(
      [
        ...(open.length > 0 ? [question] : []),
        ...rows,
        "Stopped before the first statement, because the plan can lose data or block writes on tables with rows:",
        ...stopping.map(({ code, message }) => `  ${code}: ${message}`),
        "Nothing was changed. If this is meant, add to the layer's `allow`:",
        ...[...new Set(stopping.map(({ approval }) => approval))].map((approval) => `  ${approvalInLine(approval)}`),
      ].join("\n"),
    );
  }
  const matched = new Set(hazards.map(({ approval }) => approval));
  const idle = allow.filter(
    (approval) => !matched.has(approval) && !allowedBefore.includes(approval) && !approval.startsWith("adopt-table:"),
  );
  if (idle.length > 0) {
    throw new UserError(
      `Found approvals in the layer's \`allow\` that match nothing in the plan: ${idle.join(", ")}. ` +
        "Expected the names that a stopped plan prints, such as drop-column:platform.projects.legacy. Correct or remove them. Nothing was changed.",
    );
  }
}
