/**
 * Which planned statements depend on rows, and what has to be asked of the rows before them. Asks nothing
 * itself; a plan without such statements has no questions.
 */
import { encodeId, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { tableOf, text } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";
import { type ColumnId, conversionQuestions, newColumnQuestions, notNullQuestions } from "./columns.ts";
import { checkQuestion, exclusionQuestion, keyQuestion, referenceQuestion } from "./constraints.ts";
import { domainQuestions } from "./domains.ts";
import { attachedQuestions, newPartitionQuestions } from "./partitions.ts";
import { type RowQuestion, refusal } from "./rowCheck.ts";
import { listedBy, mayHaveRows, type QuestionContext, shown, sourceOf, type TableName } from "./source.ts";

/** In the order of the statements. What two of them ask alike is asked once. */
export function rowQuestions(context: QuestionContext): RowQuestion[] {
  const questions = context.statements.flatMap((statement) => questionsOf(statement, context));
  return [...new Map(questions.map((question) => [question.asks, question])).values()];
}

function questionsOf(statement: Statement, context: QuestionContext): RowQuestion[] {
  const { id, op, sql, work } = statement;
  if (id === undefined || op === "delete") return [];
  switch (id.kind) {
    case "table": {
      if (/ ATTACH PARTITION /.test(sql)) return attachments(statement, context);
      return op === "create" && / PARTITION OF /.test(sql) ? newPartitionQuestions(statement, id, context) : [];
    }
    case "column": {
      if (!mayHaveRows({ schema: id.schema, name: id.table }, context)) return [];
      const column: ColumnId = { kind: "column", schema: id.schema, table: id.table, name: id.name };
      if (op === "create") return newColumnQuestions(statement, column, context);
      if (/ SET NOT NULL$/.test(sql)) return notNullQuestions(statement, column, context);
      return conversionQuestions(statement, column, context);
    }
    case "constraint": {
      if (op !== "create" || work === "catalog") return [];
      const fact = context.desired.get(id);
      if (fact?.parent?.kind === "domain") {
        return domainQuestions(statement, fact.parent, text(fact, "def"), context);
      }
      return some(constraintQuestion(statement, { schema: id.schema, name: id.table }, id, context));
    }
    case "index": {
      const table = tableOf(id, context.desired);
      const isUnique = op === "create" && /^CREATE UNIQUE /.test(sql);
      if (!isUnique || table?.kind !== "table" || !mayHaveRows(table, context)) return [];
      return some(keyQuestion(statement, table, text(context.desired.get(id), "def"), context));
    }
    case "domain":
      return / SET NOT NULL$/.test(sql) ? domainQuestions(statement, id, undefined, context) : [];
    case "sequence":
      return some(identityQuestion(statement, id, context));
    default:
      return [];
  }
}

const some = (question: RowQuestion | undefined): RowQuestion[] => (question === undefined ? [] : [question]);

function constraintQuestion(
  statement: Statement,
  table: TableName,
  id: StableId,
  context: QuestionContext,
): RowQuestion | undefined {
  if (!mayHaveRows(table, context)) return undefined;
  const fact = context.desired.get(id);
  const def = text(fact, "def");
  switch (text(fact, "type")) {
    case "c":
      return checkQuestion(statement, table, def, context);
    case "p":
    case "u":
      return keyQuestion(statement, table, def, context);
    case "x":
      return exclusionQuestion(statement, table, def, context);
    case "f":
      return referenceQuestion(statement, table, def, context);
    default:
      return undefined;
  }
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

/** An identity starts at its first value, whatever the rows have. */
function identityQuestion(statement: Statement, sequence: StableId, context: QuestionContext): RowQuestion | undefined {
  const added = /^ALTER TABLE .+ ALTER COLUMN .+ ADD GENERATED /s.test(statement.sql);
  if (!added) return undefined;
  const key = encodeId(sequence);
  for (const { id, payload } of context.desired.facts()) {
    const identity = payload.identity;
    if (id.kind !== "column" || typeof identity !== "object" || identity === null || !("options" in identity)) continue;
    const { sequence: own, options } = identity;
    if (typeof own !== "object" || own === null || !("schema" in own && "name" in own)) continue;
    if (encodeId({ kind: "sequence", schema: String(own.schema), name: String(own.name) }) !== key) continue;
    if (typeof options !== "object" || options === null || !("start" in options && "increment" in options)) continue;
    const table = { schema: id.schema, name: id.table };
    if (!mayHaveRows(table, context) || continuesBehindRows(own, context)) return undefined;
    const column = quoteIdent(id.name);
    const source = sourceOf(table, { uses: [column], isBefore: true }, context);
    if (source === undefined) return undefined;
    const isAhead = String(options.increment).startsWith("-") ? "<=" : ">=";
    return refusal(statement, {
      effect: "later",
      obstacle: `of ${shown(table)} whose ${id.name} the new identity will give out again`,
      asks: `SELECT ${listedBy(table, context).join(", ")} FROM ${source} WHERE ${column} ${isAhead} ${Number(options.start)}`,
      advice: `Set the sequence behind them after the update (SELECT setval(…, max(${column}))), before a row is inserted.`,
    });
  }
  return undefined;
}

/** Whether the plan sets the sequence behind the rows itself. */
const continuesBehindRows = (sequence: object, { statements }: QuestionContext): boolean =>
  "name" in sequence &&
  statements.some(({ sql }) => /setval|RESTART/i.test(sql) && sql.includes(String(sequence.name)));
