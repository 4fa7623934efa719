/**
 * Which planned statements depend on rows, and what has to be asked of the rows before them. Asks nothing
 * itself; a plan without such statements has no questions.
 */
import { encodeId, type Fact } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { tableOf, text } from "../../catalog/tables.ts";
import type { FunctionCalls } from "../calledFunctions.ts";
import type { Statement } from "../statement.ts";
import { typeChange } from "../typeChange.ts";
import {
  type ColumnId,
  computedQuestions,
  conversionQuestions,
  newColumnQuestions,
  notNullQuestions,
} from "./columns.ts";
import { demandQuestion } from "./constraints.ts";
import { dependentQuestions } from "./dependents.ts";
import { domainQuestions } from "./domains.ts";
import { entryQuestions } from "./indexEntries.ts";
import { materializedViewQuestions } from "./materializedViews.ts";
import { attachedQuestions, copiedQuestions, newPartitionQuestions } from "./partitions.ts";
import type { RowQuestion } from "./rowCheck.ts";
import { sequenceQuestions } from "./sequences.ts";
import { mayHaveRows, type QuestionContext, type TableName } from "./source.ts";

/**
 * In the order of the statements. What two of them ask alike is asked once.
 *
 * @param calls of functions that the plan makes or changes, after which they are asked.
 */
export function rowQuestions(context: QuestionContext, calls: FunctionCalls): RowQuestion[] {
  const questions = context.statements.flatMap((statement) => {
    const makes = calls.of(statement).map(({ sql }) => sql);
    if (makes.length === 0) return questionsOf(statement, context);
    return questionsOf(statement, { ...context, isOutdated: true }).map((question) => ({ ...question, makes }));
  });
  return [...new Map(questions.map((question) => [question.asks, question])).values()];
}

function questionsOf(statement: Statement, context: QuestionContext): RowQuestion[] {
  const { id, op, sql, work } = statement;
  if (id === undefined || op === "delete") return [];
  switch (id.kind) {
    case "table": {
      if (statement.copies === true) return copiedQuestions(statement, id, context);
      if (/ ATTACH PARTITION /.test(sql)) return attachments(statement, context);
      return op === "create" && / PARTITION OF /.test(sql) ? newPartitionQuestions(statement, id, context) : [];
    }
    case "column": {
      if (!mayHaveRows({ schema: id.schema, name: id.table }, context)) return [];
      const column: ColumnId = { kind: "column", schema: id.schema, table: id.table, name: id.name };
      if (op === "create") return newColumnQuestions(statement, column, context);
      if (/ SET NOT NULL$/.test(sql)) return notNullQuestions(statement, column, context);
      const values = / SET EXPRESSION AS /.test(sql) ? computedQuestions : conversionQuestions;
      return [...values(statement, column, context), ...keptQuestions(statement, column, context)];
    }
    case "constraint": {
      if (op !== "create" || work === "catalog") return [];
      const fact = context.desired.get(id);
      if (fact?.parent?.kind === "domain") {
        return domainQuestions(statement, fact.parent, text(fact, "def"), context);
      }
      const table = { schema: id.schema, name: id.table };
      return fact === undefined ? [] : demandQuestions(statement, table, fact, context);
    }
    case "index": {
      const table = tableOf(id, context.desired);
      const fact = context.desired.get(id);
      if (op !== "create" || table?.kind !== "table" || fact === undefined) return [];
      return demandQuestions(statement, table, fact, context);
    }
    case "materializedView":
      return op === "create" ? materializedViewQuestions(statement, id, context) : [];
    case "sequence":
      return sequenceQuestions(statement, id, context);
    case "domain":
      return / SET NOT NULL$/.test(sql) ? domainQuestions(statement, id, undefined, context) : [];
    default:
      return [];
  }
}

/** What stays on a column that gets another type, collation or expression. */
function keptQuestions(statement: Statement, column: ColumnId, context: QuestionContext): RowQuestion[] {
  const head = `ALTER TABLE ${quoteQualified(column.schema, column.table)} ALTER COLUMN ${quoteIdent(column.name)} `;
  const [, how] = /^(?:SET DATA )?(TYPE|SET EXPRESSION) /.exec(statement.sql.slice(head.length)) ?? [];
  if (how === undefined) return [];
  const { live, desired, conversions } = context;
  const isWider =
    how === "TYPE" &&
    text(live.get(column), "collation") === text(desired.get(column), "collation") &&
    typeChange(text(live.get(column), "type"), text(desired.get(column), "type")) !== "narrowing" &&
    conversions?.has(encodeId(column)) !== true;
  if (isWider) return [];
  const questions = dependentQuestions(statement, column, { ...context, isOutdated: true });
  // That a value cannot be converted or computed is asked of the column.
  return questions.map((question) => ({ ...question, isErrorAsked: true }));
}

const some = (question: RowQuestion | undefined): RowQuestion[] => (question === undefined ? [] : [question]);

/** Of what an index or a constraint demands, and of whether values fit into its index. */
function demandQuestions(statement: Statement, table: TableName, fact: Fact, context: QuestionContext): RowQuestion[] {
  if (!mayHaveRows(table, context)) return [];
  const isIndexed = fact.id.kind === "index" || ["p", "u", "x"].includes(text(fact, "type"));
  return [
    ...(isIndexed ? entryQuestions(statement, table, text(fact, "def"), context) : []),
    ...some(demandQuestion(statement, table, fact, context)),
  ];
}

/** The statement is one of the parent or of the partition. */
function attachments(statement: Statement, context: QuestionContext): RowQuestion[] {
  const tables = context.desired.facts().flatMap((fact) => (fact.id.kind === "table" ? [fact.id] : []));
  const isAttached = ({ schema, name }: TableName): boolean =>
    statement.sql.includes(` ATTACH PARTITION ${quoteIdent(schema)}.${quoteIdent(name)} `);
  return tables
    .filter(isAttached)
    .flatMap((table) => [
      ...attachedQuestions(statement, table, context),
      ...newPartitionQuestions(statement, table, context),
    ]);
}
