/**
 * A row with its values as text and its columns' types, ready for SQL. How a value becomes text is left to
 * `parameters.ts`, the statements to `sql.ts`.
 */
import { UserError } from "../../core/errors.ts";
import { type Properties, UNKNOWN, type Value } from "../../core/resourceType.ts";
import { containsUnknown, propertyPath } from "../../core/values.ts";
import type { Column } from "./columns.ts";
import type { TableName } from "./identity.ts";
import { givenIn, type RowInputs, WRITTEN } from "./inputs.ts";
import { bindSecret, bindValue } from "./parameters.ts";

/** One column with the text that is bound for it. */
export interface Binding {
  column: string;
  /** Property path of the input, e.g. `values.name`. */
  path: string;
  type: string;
  compareAs: Column["compareAs"];
  equality: Column["equality"];
  text: string | null;
  /** For a secret that is stored in another form: SQL that gives the plain form. */
  expression?: string;
  /** When another value than the given one is accepted. */
  accepts?: { expression: string; given: ReadonlyMap<string, string | null> };
}

/** A row whose columns are known to the database, ready for SQL. */
export interface BoundRow {
  table: TableName;
  key: Binding[];
  values: Binding[];
  secrets: Binding[];
  initialValues: Binding[];
  initialSecrets: Binding[];
  returning: { column: string; asJson: boolean }[];
  /**
   * Paths of inputs that a preview cannot compare: values not known yet, and columns that a layer is still to
   * add. What is written at the creation only is never compared, so it is not among them.
   */
  undetermined: string[];
}

/**
 * Binds what is known; for previews. Undefined when the row cannot be looked for, as its key is not known or
 * not there yet.
 */
export function bindPlannedRow(inputs: RowInputs, columns: ReadonlyMap<string, Column>): BoundRow | undefined {
  const skipped: string[] = [...inputs.unknown];
  const bound = bind(inputs, columns, (path) => skipped.push(path));
  if (!bound || bound.key.length < inputs.key.size || inputs.unknown.has("key")) return undefined;
  return { ...bound, undetermined: skipped.filter((path) => !/^(returning|initial(Secret)?Values)\b/.test(path)) };
}

/**
 * @param isToCome whether a layer is still to add a column of that name.
 * @throws {UserError} that names the columns which the table lacks.
 */
export function requireRowColumns(
  inputs: RowInputs,
  columns: ReadonlyMap<string, Column>,
  isToCome: (column: string) => boolean = () => false,
): void {
  const isAbsent = (column: string): boolean => !columns.has(column) && !isToCome(column);
  const absent = [
    ...WRITTEN.flatMap((property) =>
      [...inputs[property].keys()].filter(isAbsent).map((column) => propertyPath(property, column)),
    ),
    ...inputs.returning.filter(isAbsent).map((column) => `returning: ${column}`),
  ];
  if (absent.length === 0) return;
  throw new UserError(
    "PS401",
    `table ${inputs.tableText} has no column for ${absent.join(", ")}. It has ${[...columns.keys()].join(", ")}. ` +
      "Correct the name, or let the row depend on the layer that adds the column (dependsOn)",
  );
}

/** Binds everything. Throws a `UserError` that names the columns which the table lacks. */
export function bindRow(inputs: RowInputs, columns: ReadonlyMap<string, Column>): BoundRow {
  requireRowColumns(inputs, columns);
  const bound = bind(inputs, columns, (path) => {
    throw new Error(`the value of ${path} is not known`);
  });
  if (!bound) throw new Error("the table's name is not known");
  return { ...bound, undetermined: [] };
}

function bind(
  inputs: RowInputs,
  columns: ReadonlyMap<string, Column>,
  skip: (path: string) => void,
): Omit<BoundRow, "undetermined"> | undefined {
  if (!inputs.table) return undefined;

  const all = <T extends Value>(
    property: string,
    values: ReadonlyMap<string, T>,
    textOf: (name: string, column: Column, value: T) => string | null,
  ): Binding[] =>
    [...values].flatMap(([name, value]) => {
      const column = columns.get(name);
      const path = propertyPath(property, name);
      const isUnclear = HELD.some((held) => held === property) && asksForUnknown(inputs, name);
      if (!column || containsUnknown(value) || isUnclear) {
        skip(path);
        return [];
      }
      const { type, compareAs, equality } = column;
      return [{ column: name, path, type, compareAs, equality, text: textOf(name, column, value) }];
    });

  const values = all("values", inputs.values, bindValue);
  const secrets = all("secretValues", inputs.secretValues, bindSecret).map((binding) => {
    const expression = inputs.compareWith.get(binding.column);
    return expression === undefined ? binding : { ...binding, expression };
  });
  const given = new Map([...values, ...secrets].map(({ column, text }) => [column, text]));
  const withAccepted = (binding: Binding): Binding => {
    const expression = inputs.accepts.get(binding.column);
    return expression === undefined ? binding : { ...binding, accepts: { expression, given } };
  };

  return {
    table: inputs.table,
    key: all("key", inputs.key, bindValue),
    values: values.map(withAccepted),
    secrets: secrets.map(withAccepted),
    initialValues: all("initialValues", inputs.initialValues, bindValue),
    initialSecrets: all("initialSecretValues", inputs.initialSecretValues, bindSecret),
    returning: inputs.returning
      .filter((name) => columns.has(name))
      .map((name) => ({ column: name, asJson: columns.get(name)?.kind !== "plain" })),
  };
}

const HELD = ["values", "secretValues"];

/** Whether what is accepted in place of a column hangs on a value that is not known yet. */
function asksForUnknown({ accepts, values, secretValues, unknown }: RowInputs, column: string): boolean {
  const names = givenIn(accepts.get(column) ?? "");
  return (
    names.some((name) => containsUnknown(values.get(name) ?? null) || secretValues.get(name) === UNKNOWN) ||
    (names.length > 0 && HELD.some((property) => unknown.has(property)))
  );
}

/** The returned columns where none of them is known. */
export function unknownColumns(names: readonly string[]): Properties {
  return Object.fromEntries(names.map((name) => [name, UNKNOWN]));
}
