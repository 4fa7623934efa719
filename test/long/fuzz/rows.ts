import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { byKey, type Column, type Key, type Model, ofKind, type Table } from "./model.ts";
import { literal, Printer } from "./print.ts";

/** Rows of each table. */
const ROWS = 3;

/**
 * One INSERT for each row that the old model's tables may hold, by table. The values are distinct, satisfy
 * the conditions of the models, and are the same in all tables, so that foreign keys of the old and of the
 * new model find what they refer to. A row that the server does not take (an enum has too few values for a
 * key) is to be left out.
 */
export function rowsOf(old: Model, next: Model): string[] {
  const tables = ofKind(old, "table");
  return tables.flatMap((table) => Array.from({ length: ROWS }, (_, n) => insert(old, next, table, n + 1)));
}

function insert(old: Model, next: Model, table: Table, n: number): string {
  const printer = new Printer(old, "");
  const required = requiredColumns(old, next);
  const columns = table.columns.filter(({ value }) => value.by !== "expression");
  const values = columns.map((column) => {
    // The last row has nothing where nothing may be, before and after.
    if (n === ROWS && !required.has(column.key)) return "null";
    return valueFor(old, column, n);
  });
  const name = printer.name(table.key);
  if (columns.length === 0) return `insert into ${name} default values`;
  const listed = columns.map((column) => quoteIdent(column.name)).join(", ");
  return `insert into ${name} (${listed}) overriding system value values (${values.join(", ")})`;
}

function valueFor(model: Model, { type }: Column, n: number): string {
  if (typeof type !== "number") return type.value(n);
  const object = byKey(model, type);
  if (object?.kind === "domain") return object.base.value(n);
  if (object?.kind === "enum") return literal("first");
  if (object?.kind === "composite")
    return `row(${object.attributes.map((attribute) => attribute.type.value(n)).join(", ")})`;
  return "null";
}

/** Columns that demand a value in one of the models. */
function requiredColumns(...models: readonly Model[]): Set<Key> {
  return new Set(
    models.flatMap((model) => [
      ...ofKind(model, "table").flatMap(({ columns, partitionBy }) =>
        columns
          .filter((column, n) => {
            const type = typeof column.type === "number" ? byKey(model, column.type) : undefined;
            const isDomain = type?.kind === "domain" && type.notNull;
            return (
              column.notNull ||
              isDomain ||
              column.value.by.startsWith("identity") ||
              (n === 0 && partitionBy !== undefined)
            );
          })
          .map(({ key }) => key),
      ),
      ...ofKind(model, "constraint").flatMap(({ form, columns }) => (form === "primary" ? columns : [])),
    ]),
  );
}
