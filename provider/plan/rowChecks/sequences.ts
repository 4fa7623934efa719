/** Whether the value that a sequence has reached lies within the limits that a plan gives it. */
import type { StableId } from "../../catalog/pgDelta.ts";
import { quoteQualified } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";
import { type RowQuestion, refusal } from "./rowCheck.ts";
import type { QuestionContext } from "./source.ts";

export function sequenceQuestions(
  statement: Statement,
  id: Extract<StableId, { name: string; schema: string }>,
  { live, desired }: QuestionContext,
): RowQuestion[] {
  const [before, after] = [live.get(id), desired.get(id)];
  if (before === undefined || after === undefined) return [];
  const [least, most] = [text(after, "minValue"), text(after, "maxValue")];
  if (least === text(before, "minValue") && most === text(before, "maxValue")) return [];
  return [
    refusal(statement, {
      obstacle: `of sequence ${id.schema}.${id.name} with a last value outside of its new limits, ${least} to ${most}`,
      asks: `SELECT last_value FROM ${quoteQualified(id.schema, id.name)} WHERE last_value NOT BETWEEN ${least} AND ${most}`,
      advice: "Give it limits that hold its value, or set another value first (setval) if the numbers may come again.",
    }),
  ];
}
