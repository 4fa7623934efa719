/** How a value becomes the text of a bind parameter, and which values a type cannot take. */
import { UserError } from "../../core/errors.ts";
import { UNKNOWN, type Value } from "../../core/resourceType.ts";
import type { Column } from "./columns.ts";

/**
 * The text form of a value for a bind parameter that is cast to the column's type. Everything is JSON in a
 * json or jsonb column, strings too. Throws a `UserError` for a value that the column's type cannot take as
 * such.
 */
export function bindValue(name: string, column: Column, value: Value): string | null {
  if (value === UNKNOWN) throw new Error(`the value of column ${name} is not known`);
  if (value === null) return null;
  if (column.kind === "json") return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (column.kind === "array") return arrayLiteral(name, value);
    throw new UserError("PS406", `column "${name}" is of type ${column.type}, found a list; expected a single value`);
  }
  if (typeof value === "object") {
    throw new UserError(
      "PS406",
      `column "${name}" is of type ${column.type}, found an object; only json and jsonb columns take objects`,
    );
  }
  return String(value);
}

/**
 * A secret is text as it is, in json columns as well. Throws a `UserError` for a column of a type that may
 * give it away.
 */
export function bindSecret(name: string, column: Column, value: string | typeof UNKNOWN): string {
  if (value === UNKNOWN) throw new Error(`the value of column ${name} is not known`);
  if (column.takesSecrets) return value;
  throw new UserError(
    "PS406",
    `column "${name}" is of type ${column.type}, expected text, bytea, json or jsonb for a secret: the server would show a value that ` +
      "the type cannot take in its error and its log",
  );
}

function arrayLiteral(name: string, items: readonly Value[]): string {
  return `{${items.map((item) => arrayItem(name, item)).join(",")}}`;
}

function arrayItem(name: string, item: Value): string {
  if (item === UNKNOWN) throw new Error(`the value of column ${name} is not known`);
  if (item === null) return "NULL";
  if (Array.isArray(item)) return arrayLiteral(name, item);
  const text = typeof item === "object" ? JSON.stringify(item) : String(item);
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
