/**
 * Which inputs a row takes, and what is wrong with them. Whether the columns exist is asked in `columns.ts`.
 */
import { InputError } from "../../core/errors.ts";
import { type CheckFailure, type Properties, UNKNOWN, type Value } from "../../core/resourceType.ts";
import { containsUnknown, isObject, kindOf, propertyPath } from "../../core/values.ts";
import { parseTableName, TABLE_SHAPE, type TableName } from "./identity.ts";

/** The inputs of a row after parsing. In a preview, parts may still be unknown. */
export interface RowInputs {
  /** As given. Empty when it is not known yet. */
  tableText: string;
  /** Undefined when it is not known yet. */
  table: TableName | undefined;
  key: Map<string, Value>;
  values: Map<string, Value>;
  secretValues: Map<string, string | typeof UNKNOWN>;
  compareWith: Map<string, string>;
  accepts: Map<string, string>;
  initialValues: Map<string, Value>;
  initialSecretValues: Map<string, string | typeof UNKNOWN>;
  returning: string[];
  /** Names of properties that are not known as a whole. */
  unknown: Set<string>;
}

const PROPERTIES = [
  "table",
  "key",
  "values",
  "secretValues",
  "compareWith",
  "accepts",
  "initialValues",
  "initialSecretValues",
  "returning",
] as const;
type PropertyName = (typeof PROPERTIES)[number];

/** Inputs that name columns to write; a column may be in one of them only. */
export const WRITTEN = ["key", "values", "secretValues", "initialValues", "initialSecretValues"] as const;

/** Inputs that name columns which are held as they are given. */
const HELD = ["values", "secretValues"] as const;

/** A given value within an expression of `accepts`: `{column}`. */
export const GIVEN = /\{(\w+)\}/g;

/** The columns whose given values an expression of `accepts` asks for. */
export const givenIn = (expression: string): string[] => [...expression.matchAll(GIVEN)].map(([, name = ""]) => name);

/** Parses the inputs and finds all faults at once. */
export function parseRowInputs(properties: Properties): { inputs: RowInputs; failures: CheckFailure[] } {
  const failures: CheckFailure[] = [];
  const unknown = new Set<string>();
  const fail = (property: string, reason: string): void => void failures.push({ code: "PS601", property, reason });

  const text = (path: string, value: Value): string | undefined => {
    if (typeof value === "string") return value;
    if (value !== UNKNOWN) fail(path, `found ${kindOf(value)}, expected a string`);
    return undefined;
  };
  const columns = (name: PropertyName): [string, Value][] => {
    const value = properties[name];
    if (value === UNKNOWN) unknown.add(name);
    if (value === undefined || value === null || value === UNKNOWN) return [];
    if (isObject(value)) return Object.entries(value);
    fail(name, `found ${kindOf(value)}, expected an object of column names and values`);
    return [];
  };
  const secrets = (name: PropertyName): Map<string, string | typeof UNKNOWN> => {
    const found = new Map<string, string | typeof UNKNOWN>();
    for (const [column, value] of columns(name)) {
      const known = value === UNKNOWN ? UNKNOWN : text(propertyPath(name, column), value);
      if (known !== undefined) found.set(column, known);
    }
    return found;
  };

  for (const name of Object.keys(properties)) {
    if (!PROPERTIES.some((known) => known === name))
      fail(name, `unknown property; expected one of ${PROPERTIES.join(", ")}`);
  }

  const expressions = (name: PropertyName): Map<string, string> => {
    const found = new Map<string, string>();
    for (const [column, value] of columns(name)) {
      const expression = text(propertyPath(name, column), value);
      if (expression !== undefined) found.set(column, expression);
    }
    return found;
  };
  const tableText = properties.table === undefined ? "" : (text("table", properties.table) ?? "");
  const inputs: RowInputs = {
    tableText,
    table: parseTableName(tableText),
    key: new Map(columns("key")),
    values: new Map(columns("values")),
    secretValues: secrets("secretValues"),
    compareWith: expressions("compareWith"),
    accepts: expressions("accepts"),
    initialValues: new Map(columns("initialValues")),
    initialSecretValues: secrets("initialSecretValues"),
    returning: parseReturning(properties.returning, unknown, fail),
    unknown,
  };

  if (!inputs.table && (properties.table === undefined || typeof properties.table === "string")) {
    fail("table", `found ${tableText === "" ? "nothing" : `"${tableText}"`}, expected ${TABLE_SHAPE}`);
  }
  checkColumns(inputs, fail);
  return { inputs, failures };
}

/** The inputs of a resource that Check has seen. Throws a `UserError` with all faults otherwise. */
export function checkedRowInputs(properties: Properties): RowInputs {
  const { inputs, failures } = parseRowInputs(properties);
  if (failures.length === 0) return inputs;
  throw new InputError(failures);
}

function parseReturning(
  value: Value | undefined,
  unknown: Set<string>,
  fail: (property: string, reason: string) => void,
): string[] {
  if (value === undefined || value === null) return [];
  if (value === UNKNOWN || (Array.isArray(value) && value.some((item) => item === UNKNOWN))) {
    unknown.add("returning");
    return [];
  }
  const names = Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  if (!Array.isArray(value) || names.length < value.length) {
    fail("returning", "expected a list of column names");
  }
  return names;
}

function checkColumns(inputs: RowInputs, fail: (property: string, reason: string) => void): void {
  if (inputs.key.size === 0 && !inputs.unknown.has("key")) {
    fail("key", 'found no column, expected at least one that identifies the row, e.g. { slug: "lancio" }');
  }
  for (const [column, value] of inputs.key) {
    if (value === null || isObject(value) || Array.isArray(value)) {
      fail(propertyPath("key", column), `found ${kindOf(value)}, expected a string, number or boolean`);
    }
  }

  const owners = new Map<string, string>();
  for (const property of WRITTEN) {
    for (const column of inputs[property].keys()) {
      const owner = owners.get(column);
      const path = propertyPath(property, column);
      if (owner) fail(path, `the column is in ${owner} too; name it in one of them`);
      else owners.set(column, property);
      if (column === "" || column.includes("\0")) fail(path, "this cannot be the name of a column");
    }
  }
  for (const column of inputs.compareWith.keys()) {
    if (!inputs.secretValues.has(column) && !inputs.unknown.has("secretValues")) {
      fail(
        propertyPath("compareWith", column),
        "the column is not in secretValues; only secrets are compared by an expression",
      );
    }
  }
  for (const [column, expression] of inputs.accepts) {
    const isGiven = (name: string): boolean => HELD.some((held) => inputs[held].has(name) || inputs.unknown.has(held));
    const absent = [column, ...givenIn(expression)].filter((name) => !isGiven(name));
    if (absent.length > 0) {
      fail(
        propertyPath("accepts", column),
        `names ${absent.join(", ")}, which is neither in values nor in secretValues`,
      );
    }
  }
  for (const column of inputs.returning) {
    if (inputs.secretValues.has(column) || inputs.initialSecretValues.has(column)) {
      fail("returning", `column "${column}" holds a secret, which is never read out`);
    }
  }
}

/** True when the row cannot be looked for yet. */
export function identityIsUnknown(inputs: RowInputs): boolean {
  return !inputs.table || inputs.unknown.has("key") || [...inputs.key.values()].some(containsUnknown);
}
