/**
 * Conversions read the columns as they were: what fills in or converts a column comes before the statements
 * of its list that convert what it reads. Dropped columns wait in `online.ts`.
 */
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type StableId } from "../../catalog/pgDelta.ts";
import { rowsBehind } from "../../catalog/tables.ts";
import { UserError } from "../../core/errors.ts";
import { FunctionCalls } from "../calledFunctions.ts";
import { type Conversion, namesIn } from "../conversions.ts";
import { castOf, filledIn } from "../convertedColumns.ts";
import { StatementDependencies } from "../dependencies.ts";
import { copiesTable } from "../hazards.ts";
import type { Statement } from "../statement.ts";
import { becomesNotNull, setNotNullAtOnce } from "./column.ts";
import type { OnlineContext, SubId } from "./recipe.ts";

type ColumnId = StableId & SubId;

/**
 * The list with each column that reads what the list converts filled in within the transaction, and first.
 * Rows that others write between batches and the conversion would be read in either form.
 *
 * @throws {UserError} where no order leaves each expression the values of before.
 */
export function readingValuesBefore(statements: readonly Statement[], context: OnlineContext): Statement[] {
  const converting = statements.filter((statement) => changesValues(statement, context));
  if (converting.length === 0 || context.conversions.size === 0) return [...statements];
  const readBy = (id: ColumnId, conversion: Conversion): Statement[] => {
    const names = namesIn(conversion);
    return converting.filter(
      ({ id: other }) => isOfSameTable(other, id) && other.name !== id.name && names.has(other.name),
    );
  };
  const behind = new Map<Statement, Statement[]>();
  let ordered = statements.flatMap((statement) => {
    const { id } = statement;
    const conversion = id?.kind === "column" ? context.conversions.get(encodeId(id)) : undefined;
    if (id?.kind !== "column" || conversion === undefined) return [statement];
    const read = readBy(id, conversion);
    if (read.length === 0 || rowsBehind(id, context.sizes, context.live, context.desired) === 0) return [statement];
    const parts = atOnce(statement, id, conversion, context);
    for (const part of parts) if (usesConversion(part)) behind.set(part, read);
    return parts;
  });
  for (const [reader, read] of behind) ordered = movedBefore(ordered, reader, read, context);
  for (const [reader, read] of behind) refuseIfBehind(ordered, reader, read);
  return ordered;
}

const isOfSameTable = (id: StableId | undefined, { schema, table }: ColumnId): id is ColumnId =>
  id?.kind === "column" && id.schema === schema && id.table === table;

function changesValues(statement: Statement, context: OnlineContext): boolean {
  const { id, sql } = statement;
  if (id?.kind !== "column" || castOf(sql) === undefined) return false;
  return context.conversions.has(encodeId(id)) || copiesTable(statement, id, context);
}

const usesConversion = ({ sql }: Statement): boolean => sql.startsWith("UPDATE ") || castOf(sql) !== undefined;

function atOnce(statement: Statement, id: ColumnId, conversion: Conversion, context: OnlineContext): Statement[] {
  if (becomesNotNull(statement, id, context)) return setNotNullAtOnce(statement, id, context);
  const { notNull, identity, generatedExpr } = context.desired.get(id)?.payload ?? {};
  const isFilled = statement.op === "create" && notNull === true && !identity && !generatedExpr;
  return isFilled ? filledIn(statement, id, conversion, context.desired) : [statement];
}

/** The statement ahead of others, with what it needs of those in between. */
function movedBefore(
  statements: readonly Statement[],
  reader: Statement,
  others: readonly Statement[],
  context: OnlineContext,
): Statement[] {
  const end = statements.indexOf(reader);
  const start = Math.min(...others.map((other) => statements.indexOf(other)));
  if (start > end) return [...statements];
  const dependencies = new StatementDependencies(statements, context);
  const calls = new FunctionCalls(statements, context.desired, context.conversions);
  const moved = new Set([reader]);
  const needed = new Set([...idsOf(reader), ...dependencies.needs(reader)]);
  const called = new Set(calls.of(reader));
  for (const statement of statements.slice(start, end).toReversed()) {
    const isNeeded = called.has(statement) || idsOf(statement).some((id) => needed.has(id));
    if (!isNeeded) continue;
    if (others.includes(statement)) return [...statements];
    moved.add(statement);
    for (const id of [...idsOf(statement), ...dependencies.needs(statement)]) needed.add(id);
    for (const each of calls.of(statement)) called.add(each);
  }
  const isMoved = (statement: Statement): boolean => moved.has(statement);
  return [
    ...statements.slice(0, start),
    ...statements.slice(start, end + 1).filter(isMoved),
    ...statements.slice(start, end + 1).filter((statement) => !isMoved(statement)),
    ...statements.slice(end + 1),
  ];
}

const idsOf = ({ id }: Statement): string[] => (id === undefined ? [] : [encodeId(id)]);

function refuseIfBehind(statements: readonly Statement[], reader: Statement, others: readonly Statement[]): void {
  const at = statements.indexOf(reader);
  const first = others.find((other) => statements.indexOf(other) < at);
  if (first?.id === undefined || reader.id === undefined) return;
  throw new UserError(
    "PS113",
    `Found that the conversion of ${describe(reader.id)} reads ${describe(first.id)}, which is converted before it in the same update. Expected one that reads the values of before. Make the change in two updates: first the column that reads the other, then the other. Columns that read each other need a new column that keeps the values of one of them. Nothing was changed.`,
  );
}
