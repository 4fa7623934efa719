/** Questions of materialized views, whose queries the server runs over all rows when it creates them. */
import { encodeId, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";
import { type RowQuestion, refusal } from "./rowCheck.ts";
import { mayHaveRows, type QuestionContext, shown, type TableName } from "./source.ts";
import { canFail } from "./trials.ts";

export function materializedViewQuestions(
  statement: Statement,
  id: StableId & TableName,
  context: QuestionContext,
): RowQuestion[] {
  const query = text(context.desired.get(id), "def").replace(/;\s*$/, "");
  const read = readBy(id, context);
  const isCreated = (other: StableId): boolean =>
    context.statements.some(
      (each) => each.op === "create" && each.id !== undefined && encodeId(each.id) === encodeId(other),
    );
  const views = read.filter(({ kind }) => kind === "materializedView");
  const isOverViews = read.some(({ kind }) => kind === "view");
  const hasRows = read.some((each) => each.kind === "table" && mayHaveRows(each, context));
  if (views.some(isCreated) || (views.length === 0 && !(hasRows && (isOverViews || canFail(query))))) return [];
  const asks = `SELECT pg_catalog.count(${quoteIdent(id.name)}) FROM (${query}) AS ${quoteIdent(id.name)}`;
  return [
    refusal(statement, {
      obstacle: `for which the query of materialized view ${shown(id)} fails`,
      asks,
      isConversion: true,
      advice: "Correct them, or change the query so that it has a result for each row.",
    }),
  ];
}

/** The relations behind the query, also those behind its views. */
function readBy(view: StableId, { desired }: QuestionContext): (StableId & TableName)[] {
  const found = new Map<string, StableId & TableName>();
  const visit = (id: StableId): void => {
    for (const { kind, to } of desired.outgoingEdges(id)) {
      const read: StableId = to.kind === "column" ? { kind: "table", schema: to.schema, name: to.table } : to;
      // On some servers a view depends on itself.
      if (kind !== "depends" || found.has(encodeId(read)) || encodeId(read) === encodeId(view)) continue;
      if (read.kind !== "table" && read.kind !== "view" && read.kind !== "materializedView") continue;
      found.set(encodeId(read), read);
      if (read.kind === "view") visit(read);
    }
  };
  visit(view);
  return [...found.values()];
}
