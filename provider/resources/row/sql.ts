/**
 * The statements that find, insert, update and delete a row, with bind parameters. Running them is left to
 * `read.ts`, `write.ts` and `delete.ts`.
 */
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import type { Binding, BoundRow } from "./boundRow.ts";
import type { TableName } from "./identity.ts";
import { GIVEN } from "./inputs.ts";

/** A statement with its bind parameters, all of them text or null. */
export interface Statement {
  text: string;
  values: (string | null)[];
}

/** Collects bind parameters and hands out their places. */
export class Parameters {
  readonly values: (string | null)[] = [];

  add(binding: Pick<Binding, "text" | "type">): string {
    this.values.push(binding.text);
    return `$${this.values.length}::${binding.type}`;
  }
}

/**
 * Looks for the row by its key. Each result row has `answers`, one text per binding of `compare` in order:
 * null where it differs, empty where it is as given, else why it is accepted; and `returned`, a JSON array of
 * the returned columns in order. Two rows at most, which is enough to see that the key is not unique.
 */
export function selectRow(
  row: Pick<BoundRow, "table" | "key" | "returning">,
  compare: readonly Binding[],
  options: { lock: boolean },
): Statement {
  const parameters = new Parameters();
  const answers = compare.map((binding) => answer(binding, parameters));
  const returned = row.returning.map(({ column, asJson }) =>
    asJson ? `pg_catalog.to_jsonb(${quoteIdent(column)})` : `${quoteIdent(column)}::pg_catalog.text`,
  );
  const text =
    `SELECT ARRAY[${answers.join(", ")}]::pg_catalog.text[] AS answers, ` +
    `pg_catalog.jsonb_build_array(${returned.join(", ")}) AS returned ` +
    `FROM ${tableOf(row.table)} WHERE ${keyCondition(row.key, parameters)} LIMIT 2${options.lock ? " FOR UPDATE" : ""}`;
  return { text, values: parameters.values };
}

export function insertRow(table: TableName, bindings: readonly Binding[]): Statement {
  const parameters = new Parameters();
  const columns = bindings.map(({ column }) => quoteIdent(column)).join(", ");
  const values = bindings.map((binding) => parameters.add(binding)).join(", ");
  return { text: `INSERT INTO ${tableOf(table)} (${columns}) VALUES (${values})`, values: parameters.values };
}

export function updateRow(row: Pick<BoundRow, "table" | "key">, bindings: readonly Binding[]): Statement {
  const parameters = new Parameters();
  const assignments = bindings
    .map((binding) => `${quoteIdent(binding.column)} = ${parameters.add(binding)}`)
    .join(", ");
  return {
    text: `UPDATE ${tableOf(row.table)} SET ${assignments} WHERE ${keyCondition(row.key, parameters)}`,
    values: parameters.values,
  };
}

export function deleteRow(row: Pick<BoundRow, "table" | "key">): Statement {
  const parameters = new Parameters();
  return {
    text: `DELETE FROM ${tableOf(row.table)} WHERE ${keyCondition(row.key, parameters)}`,
    values: parameters.values,
  };
}

function answer(binding: Binding, parameters: Parameters): string {
  const { accepts } = binding;
  const equal = comparison(binding, parameters);
  if (accepts === undefined) return `CASE WHEN ${equal} THEN '' END`;
  const { expression, given } = accepts;
  const asked = expression.replaceAll(GIVEN, (_, name: string) =>
    parameters.add({ text: given.get(name) ?? null, type: "pg_catalog.text" }),
  );
  return `CASE WHEN ${equal} THEN '' ELSE (${asked})::pg_catalog.text END`;
}

/** What IS NOT DISTINCT FROM says, which would look for its operator in the path. */
function comparison(binding: Binding, parameters: Parameters): string {
  const { expression, column, text, compareAs, equality } = binding;
  if (expression !== undefined) {
    const plain = parameters.add({ text, type: "pg_catalog.text" });
    return `((${expression})::pg_catalog.text operator(pg_catalog.=) ${plain}) IS TRUE`;
  }
  if (text === null) return `${quoteIdent(column)} IS NULL`;
  const form = compareAs === undefined ? "" : `::pg_catalog.${compareAs}`;
  return `(${quoteIdent(column)}${form} ${equality} ${parameters.add(binding)}${form}) IS TRUE`;
}

/** Plain equality, so that an index on the key is used; a key holds no null. */
export function keyCondition(key: readonly Binding[], parameters: Parameters, alias?: string): string {
  if (key.length === 0) throw new Error("a row without a key cannot be looked for");
  const prefix = alias ? `${alias}.` : "";
  return key
    .map((binding) => `${prefix}${quoteIdent(binding.column)} ${binding.equality} ${parameters.add(binding)}`)
    .join(" AND ");
}

function tableOf(table: TableName): string {
  return quoteQualified(table.schema, table.name);
}
