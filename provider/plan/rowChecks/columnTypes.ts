/** Types of columns, as far as questions depend on them: domains, enums, composites, the schema of `=`. */
import { encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import { nameParts } from "../renames/sqlTokens.ts";
import type { KeyPart } from "./definitions.ts";
import { idOf, type QuestionContext, type TableName } from "./source.ts";

/** A type as a column names it, without its length and the brackets of an array. */
function elementOf(type: string): { schema: string; name: string } | undefined {
  const [schema, name] = nameParts(type.replace(/(?:\[\])+$/, "").replace(/\([\d,-]+\)$/, "")) ?? [];
  return schema === undefined || name === undefined ? undefined : { schema, name };
}

export const isArray = (type: string): boolean => type.endsWith("[]");

/** The enum, composite, range or domain that a type is, or is an array of; a built-in one has no fact. */
export function factOfType(type: string, side: FactBase): Fact | undefined {
  const name = elementOf(type);
  return name && (side.get({ kind: "domain", ...name }) ?? side.get({ kind: "type", ...name }));
}

/** The type below all domains. */
export function baseType(type: string, side: FactBase): string {
  const fact = isArray(type) ? undefined : factOfType(type, side);
  return fact?.id.kind === "domain" ? baseType(text(fact, "baseType"), side) : type;
}

export function enumValues(type: string, side: FactBase): string[] | undefined {
  const values = factOfType(type, side)?.payload.values;
  return Array.isArray(values) ? values.map(String) : undefined;
}

export function typeOf(column: string, table: TableName, { live, desired }: QuestionContext): string {
  const id = { kind: "column", schema: table.schema, table: table.name, name: column } as const;
  const side = desired.has(id) ? desired : live;
  return baseType(text(side.get(id), "type"), side);
}

/**
 * Whether a part of a row is empty as constraints understand it. `IS NULL` is also true of a composite value
 * whose fields are empty.
 */
export function isNull({ expression, column }: KeyPart, table: TableName, context: QuestionContext): string {
  const type = column === undefined ? "" : typeOf(column, table, context);
  const isComposite =
    elementOf(type) !== undefined &&
    !isArray(type) &&
    enumValues(type, context.desired) === undefined &&
    enumValues(type, context.live) === undefined;
  return isComposite ? `(pg_catalog.num_nulls(${expression}) = 1)` : `(${expression} IS NULL)`;
}

/** The same for one that is not empty. */
export const isNotNull = (part: KeyPart, table: TableName, context: QuestionContext): string =>
  isNull(part, table, context)
    .replace(/ IS NULL\)$/, " IS NOT NULL)")
    .replace(/ = 1\)$/, " = 0)");

/**
 * An operator for values of a column, by its schema: that of a type of an extension, or the built-in one. By
 * its name alone the server could find one for another type.
 */
export function operatorFor(
  operator: string,
  column: string | undefined,
  table: TableName,
  context: QuestionContext,
): string {
  const type = column === undefined ? "" : typeOf(column, table, context);
  const name = elementOf(type);
  const isBuiltIn = name === undefined || isArray(type) || factOfType(type, context.desired) !== undefined;
  return `OPERATOR(${isBuiltIn ? "pg_catalog" : quoteIdent(name.schema)}.${operator})`;
}

/** Columns of tables that hold values of a domain: as they stand, or within an array or a composite type. */
export interface DomainUse {
  table: TableName;
  column: string;
  isWithin: boolean;
}

export function usesOfDomain(domain: { schema: string; name: string }, live: FactBase): DomainUse[] {
  const found: DomainUse[] = [];
  const seen = new Set<string>();
  const visit = (id: StableId, isWithin: boolean): void => {
    const key = `${encodeId(id)} ${isWithin}`;
    if (seen.has(key)) return;
    seen.add(key);
    for (const { kind: edge, from } of live.incomingEdges(id)) {
      if (edge !== "depends") continue;
      if (from.kind === "domain") visit(from, isWithin || isArray(text(live.get(from), "baseType")));
      if (from.kind === "type") visit(from, true);
      if (from.kind !== "column") continue;
      const table = { schema: from.schema, name: from.table };
      const type = text(live.get(from), "type");
      const isOfRows = id.kind !== "table" || encodeId(idOf(elementOf(type) ?? table)) === encodeId(id);
      if (!live.has(idOf(table)) || !isOfRows) continue;
      found.push({ table, column: from.name, isWithin: isWithin || isArray(type) });
      // Rows of the table are values of its type, which columns of others may have.
      visit(idOf(table), true);
    }
  };
  visit({ kind: "domain", ...domain }, false);
  return found;
}
