/**
 * Questions of what stays on a column whose values change: its checks, keys, exclusions and foreign keys.
 * What the plan makes has questions of its own.
 */
import { encodeId, type Fact } from "../../catalog/pgDelta.ts";
import { tableOf, text } from "../../catalog/tables.ts";
import { demandQuestion } from "./constraints.ts";
import { referenceOf, wordsIn } from "./definitions.ts";
import type { Change, RowQuestion } from "./rowCheck.ts";
import { idOf, type QuestionContext, type TableName } from "./source.ts";

interface ColumnName {
  schema: string;
  table: string;
  name: string;
}

/** Of what the database has as well and demands something of the column's values. */
export function dependentQuestions(change: Change, column: ColumnName, context: QuestionContext): RowQuestion[] {
  const { live, desired } = context;
  const own: TableName = { schema: column.schema, name: column.table };
  const isOn = ({ payload: { def } }: Fact): boolean => typeof def === "string" && wordsIn(def).has(column.name);
  const facts = [...desired.childrenOf(idOf(own)).filter(isOn), ...referring(own, column.name, context)];
  return facts
    .filter(({ id, payload }) => live.has(id) && payload.validated !== false)
    .flatMap((fact) => {
      const table = tableOf(fact.id, desired);
      return table?.kind === "table" ? (demandQuestion(change, table, fact, context) ?? []) : [];
    });
}

/** Foreign keys of other tables to a column. */
function referring(table: TableName, column: string, { desired }: QuestionContext): Fact[] {
  const key = encodeId(idOf(table));
  return desired.facts().filter((fact) => {
    const { id, payload } = fact;
    if (id.kind !== "constraint" || payload.type !== "f") return false;
    const reference = referenceOf(text(fact, "def"));
    const isOwn = encodeId(idOf({ schema: id.schema, name: id.table })) === key;
    return (
      !isOwn &&
      reference !== undefined &&
      reference.referred.includes(column) &&
      encodeId(idOf(reference.table)) === key
    );
  });
}
