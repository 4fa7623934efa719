/** Questions of partitions: rows of the default one that a new one takes, rows outside of bounds. */
import { parentOf } from "../../catalog/partitions.ts";
import { encodeId, type FactBase } from "../../catalog/pgDelta.ts";
import { quoteLiteral, quoteQualified } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import { obstacleToMove } from "../inheritance/obstacleToMove.ts";
import type { Statement } from "../statement.ts";
import type { StoredResult } from "../storedResults.ts";
import { boundCondition, bracketed, partOf } from "./definitions.ts";
import { type Change, type RowQuestion, refusal } from "./rowCheck.ts";
import { idOf, listedBy, mayHaveRows, type QuestionContext, shown, sourceOf, type TableName } from "./source.ts";

/** A partition that comes beside a default one, which may hold rows of it. */
export function newPartitionQuestions(
  statement: Statement,
  partition: TableName,
  context: QuestionContext,
): RowQuestion[] {
  const condition = conditionOf(partition, context);
  const parent = parentOf(idOf(partition), context.desired);
  const rest = parent && defaultOf(parent, context);
  if (condition === undefined || rest === undefined || !mayHaveRows(rest, context)) return [];
  const source = sourceOf(rest, { uses: [condition], isBefore: true }, context);
  if (source === undefined) return [];
  const isMoved = context.displacing?.has(encodeId(idOf(partition))) === true;
  const obstacle = statement.op === "create" ? obstacleToMove(statement, context) : undefined;
  const why = obstacle === undefined ? "" : ` pgstrata does not move them, because ${obstacle}.`;
  return [
    refusal(statement, {
      obstacle: `of the default partition ${shown(rest)} that belong to the new partition ${shown(partition)}`,
      asks: `SELECT ${listedBy(rest, context).join(", ")} FROM ${source} WHERE ${condition}`,
      ...(isMoved
        ? {
            effect: "moved",
            advice: `They are in ${shown(partition)} once it is attached, and in ${shown(rest)} until then.`,
          }
        : { advice: `Move them out of ${shown(rest)} first.${why}` }),
    }),
  ];
}

/** A table that becomes a partition. */
export function attachedQuestions(statement: Statement, partition: TableName, context: QuestionContext): RowQuestion[] {
  const condition = conditionOf(partition, context);
  const source = condition === undefined ? undefined : sourceOf(partition, { uses: [condition] }, context);
  if (source === undefined || !mayHaveRows(partition, context)) return [];
  const bound = text(context.desired.get(idOf(partition)), "partitionBound");
  return [
    refusal(statement, {
      obstacle: `of ${shown(partition)} outside its bound ${bound}`,
      asks: `SELECT ${listedBy(partition, context).join(", ")} FROM ${source} WHERE (${condition}) IS NOT TRUE`,
      advice: "Move or correct them first, or widen the bound.",
    }),
  ];
}

/** A partition whose rows may belong to another one by a changed key; by a changed order all may. */
export function misplacedQuestions(
  statement: Change,
  parent: TableName,
  { of, isByOrder }: Pick<StoredResult, "of" | "isByOrder">,
  context: QuestionContext,
): RowQuestion[] {
  const parts = partsOf(parent, context.desired).filter((part) => context.live.has(idOf(part)));
  const conditions = parts.map((part) => conditionOf(part, context));
  const others = conditions.flatMap((condition) => (condition === undefined ? [] : [`(${condition})`])).join(" OR ");
  return parts.flatMap((part, n): RowQuestion[] => {
    const condition = conditions[n];
    const isMisplaced = condition === undefined ? others : `(${condition}) IS NOT TRUE`;
    const source = sourceOf(part, { uses: [isMisplaced] }, context);
    if (isMisplaced === "" || source === undefined || !mayHaveRows(part, context)) return [];
    const keys = listedBy(part, context).join(", ");
    return [
      refusal(statement, {
        obstacle: `of ${shown(part)} that ${isByOrder ? "may " : ""}belong to another partition by the changed ${of}`,
        asks: `SELECT ${keys} FROM ${source}${isByOrder ? "" : ` WHERE ${isMisplaced}`}`,
        advice: `Make a new partitioned table with a ${of} of another name, move the rows, and drop the old one; or delete or correct them first.`,
      }),
    ];
  });
}

function partsOf(table: TableName, desired: FactBase): TableName[] {
  const key = encodeId(idOf(table));
  return desired.facts().flatMap(({ id }) => {
    const parent = id.kind === "table" ? parentOf(id, desired) : undefined;
    return id.kind === "table" && parent !== undefined && encodeId(parent) === key ? [id] : [];
  });
}

/** A table whose rows are copied into partitions, or into others than before. */
export function copiedQuestions(statement: Statement, table: TableName, context: QuestionContext): RowQuestion[] {
  const condition = conditionOfParts(table, context);
  const source = condition === undefined ? undefined : sourceOf(table, { uses: [condition] }, context);
  if (source === undefined || !mayHaveRows(table, context)) return [];
  return [
    refusal(statement, {
      obstacle: `of ${shown(table)} outside the bounds of all its partitions`,
      asks: `SELECT ${listedBy(table, context).join(", ")} FROM ${source} WHERE (${condition}) IS NOT TRUE${withoutParted(context)}`,
      advice: "Move or correct them first, or declare a partition for them.",
    }),
  ];
}

function withoutParted({ parted = [], nameNow }: QuestionContext): string {
  const tables = parted.flatMap((table) => {
    const now = nameNow(table);
    return now.kind === "table" ? [`${quoteLiteral(quoteQualified(now.schema, now.name))}::pg_catalog.regclass`] : [];
  });
  return tables.length === 0 ? "" : ` AND tableoid NOT IN (${tables.join(", ")})`;
}

/**
 * What one of the partitions demands of each row; undefined where one takes all, or the rest of a hash, which
 * the server computes from a table that is partitioned already.
 */
function conditionOfParts(table: TableName, context: QuestionContext): string | undefined {
  const { desired } = context;
  if (text(desired.get(idOf(table)), "partitionKey") === "") return undefined;
  const conditions = partsOf(table, desired).map((part) => {
    const isHash = text(desired.get(idOf(part)), "partitionBound").startsWith("FOR VALUES WITH ");
    return isHash ? undefined : conditionOf(part, context);
  });
  if (conditions.includes(undefined)) return undefined;
  return conditions.length === 0 ? "false" : conditions.map((condition) => `(${condition})`).join(" OR ");
}

/** What a partition's bound demands of a row. Its columns have the names of those of the parent. */
export function conditionOf(partition: TableName, { desired, nameNow }: QuestionContext): string | undefined {
  const parent = parentOf(idOf(partition), desired);
  if (parent === undefined) return undefined;
  const keys = bracketed(text(desired.get(parent), "partitionKey"))?.items ?? [];
  const now = nameNow(parent);
  const root = now.kind === "table" ? `'${quoteQualified(now.schema, now.name).replaceAll("'", "''")}'` : "";
  return boundCondition(
    text(desired.get(idOf(partition)), "partitionBound"),
    keys.map((key) => partOf(key).expression),
    root,
  );
}

/** The default partition, which may be given another bound with the same plan: then it is none any more. */
function defaultOf(parent: TableName, { live, desired }: QuestionContext): TableName | undefined {
  const key = encodeId(idOf(parent));
  for (const { id, payload } of live.facts()) {
    if (id.kind !== "table" || payload.partitionBound !== "DEFAULT") continue;
    if (text(desired.get(id), "partitionBound") !== "DEFAULT") continue;
    const own = parentOf(id, live);
    if (own !== undefined && encodeId(own) === key) return id;
  }
  return undefined;
}
