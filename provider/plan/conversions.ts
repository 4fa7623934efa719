/**
 * How the values of a column come from those of before, where no cast says it: an expression of the layer's
 * author, given in a comment or an input. It is executed as it stands.
 */
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type StableId } from "../catalog/pgDelta.ts";
import { type CommentOwner, ownedComments, type TableName } from "./renames/comments.ts";
import { nameOf, nameParts, sqlTokens } from "./renames/sqlTokens.ts";

/** A conversion as it is written. */
export interface DeclaredConversion {
  table: TableName;
  column: string;
  expression: string;
  /** Where a person finds it: `sql/shop.sql:12`, `conversions["shop.item.price"]`. */
  place: string;
}

export type Conversion = Pick<DeclaredConversion, "expression" | "place">;

/** By encoded id of the column. */
export type Conversions = ReadonlyMap<string, Conversion>;

const COMMENT = /^converted\s+by\s*:(.*)$/is;

/** What somebody who meant such a comment may have written: `convert by: x`, `converted: x`. */
const MISSPELT = /^convert(?:ed|s)?(?:\s+\w{1,5})?\s*:/i;

/** Comments `-- converted by: <expression>` at a column's line, and what is wrong with others. */
export function conversionComments(path: string, sql: string): { conversions: DeclaredConversion[]; faults: string[] } {
  const conversions: DeclaredConversion[] = [];
  const faults: string[] = [];
  if (!/convert/i.test(sql)) return { conversions, faults };
  for (const { comment, owner } of ownedComments(sql, (text) => COMMENT.test(text) || MISSPELT.test(text))) {
    const expression = COMMENT.exec(comment.text)?.[1]?.trim() ?? "";
    const place = `${path}:${comment.line}`;
    if (expression === "" || owner?.column === undefined) faults.push(`${place}: ${faultOf(comment.text, owner)}`);
    else conversions.push({ table: owner.table, column: owner.column, expression, place });
  }
  return { conversions, faults };
}

function faultOf(text: string, owner: CommentOwner | undefined): string {
  const found = `found the comment "${text.split("\n")[0]}"`;
  return owner?.column === undefined
    ? `${found} where no column is, expected it above the line of a column, or at its end.`
    : `${found}, expected "converted by: " and an expression of the columns as they were, such as \`-- converted by: to_timestamp(at / 1000.0)\`. (A comment about something else must start with other words.)`;
}

/** One entry of a layer's input `conversions`; undefined when it is none. */
export function asConversion(key: string, expression: string): DeclaredConversion | undefined {
  const [schema, table, column, ...more] = nameParts(key) ?? [];
  if (schema === undefined || table === undefined || column === undefined || more.length > 0) return undefined;
  if (expression.trim() === "") return undefined;
  return { table: { schema, name: table }, column, expression, place: `conversions[${JSON.stringify(key)}]` };
}

/**
 * Conversions by the columns that they are of.
 *
 * @param declared ids of what the layer declares.
 */
export function locatedConversions(
  conversions: readonly DeclaredConversion[],
  declared: readonly StableId[],
): { located: Conversions; faults: string[] } {
  const located = new Map<string, Conversion>();
  const faults: string[] = [];
  for (const { table, column, expression, place } of conversions) {
    const found = declared.filter(
      (id) =>
        id.kind === "column" &&
        id.name === column &&
        id.table === table.name &&
        (table.schema === undefined || id.schema === table.schema),
    );
    const [id] = found;
    const written = [...(table.schema === undefined ? [] : [table.schema]), table.name, column].join(".");
    if (id === undefined || found.length > 1)
      faults.push(
        `${place}: found a conversion of ${written}, ${id === undefined ? "which the layer does not declare" : `which may be ${found.map(describe).join(" or ")}`}; expected one column that it declares.`,
      );
    else located.set(encodeId(id), { expression, place });
  }
  return { located, faults };
}

/** Columns of a table that an expression may name. */
export function namesIn({ expression }: Conversion): Set<string> {
  return new Set(sqlTokens(expression).flatMap((token) => nameOf(token) ?? []));
}
