/**
 * Which inputs a set of rows takes, and what is wrong with them. What a file holds is read in `source.ts`.
 */
import { InputError } from "../../core/errors.ts";
import { type CheckFailure, type Properties, UNKNOWN, type Value } from "../../core/resourceType.ts";
import { containsUnknown, isObject, kindOf, propertyPath } from "../../core/values.ts";
import { parseTableName, TABLE_SHAPE, type TableName } from "../row/identity.ts";

/** The inputs of a set of rows after parsing. In a preview, parts may still be unknown. */
export interface RowsInputs {
  /** As given. Empty when it is not known yet. */
  tableText: string;
  /** Undefined when it is not known yet. */
  table: TableName | undefined;
  key: string[];
  /** One of the two is there, unless it is not known yet. */
  rows: Properties[] | undefined;
  file: string | undefined;
  nullText: string;
  exclusive: boolean;
  secretColumns: string[];
  compareWith: Map<string, string>;
  initialColumns: string[];
  /** Names of properties that are not known as a whole. */
  unknown: Set<string>;
}

export const PROPERTIES = [
  "table",
  "key",
  "rows",
  "file",
  "nullText",
  "exclusive",
  "secretColumns",
  "compareWith",
  "initialColumns",
] as const;
type PropertyName = (typeof PROPERTIES)[number];
type Fail = (property: string, reason: string) => void;

/** The kinds of files, by the end of their names. */
export const FILE_KINDS = { csv: "csv", json: "json", ndjson: "json", jsonl: "json" } as const;

export function fileKindOf(path: string): "csv" | "json" | undefined {
  const end = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return Object.entries(FILE_KINDS).find(([name]) => name === end)?.[1];
}

/** Parses the inputs and finds all faults at once; what a file holds is not read. */
export function parseRowsInputs(properties: Properties): { inputs: RowsInputs; failures: CheckFailure[] } {
  const failures: CheckFailure[] = [];
  const unknown = new Set<string>();
  const fail: Fail = (property, reason) => void failures.push({ code: "PS601", property, reason });

  /** A property of one type; undefined where it is left out, not known, or of another type. */
  const read = <T extends Value>(
    name: PropertyName,
    expected: string,
    is: (value: Value) => value is T,
  ): T | undefined => {
    const value = properties[name];
    if (value === undefined || value === null) return undefined;
    if (value === UNKNOWN || (name !== "rows" && containsUnknown(value))) {
      unknown.add(name);
      return undefined;
    }
    if (is(value)) return value;
    fail(name, `found ${kindOf(value)}, expected ${expected}`);
    return undefined;
  };
  const isText = (value: Value): value is string => typeof value === "string";
  const isFlag = (value: Value): value is boolean => typeof value === "boolean";
  const columns = (name: PropertyName): string[] => {
    const found = read(name, "a list of column names", Array.isArray) ?? [];
    return found.flatMap((column, n) => {
      if (isText(column) && column !== "" && !column.includes("\0")) return [column];
      fail(`${name}[${n}]`, "this cannot be the name of a column");
      return [];
    });
  };

  for (const name of Object.keys(properties)) {
    if (!PROPERTIES.some((known) => known === name))
      fail(name, `unknown property; expected one of ${PROPERTIES.join(", ")}`);
  }
  const tableText = read("table", "a string", isText) ?? "";
  const compareWith = new Map<string, string>();
  const expressions = read("compareWith", "an object of column names and SQL expressions", isObject) ?? {};
  for (const [column, expression] of Object.entries(expressions)) {
    if (isText(expression)) compareWith.set(column, expression);
    else fail(propertyPath("compareWith", column), `found ${kindOf(expression)}, expected a string`);
  }
  const rows = read("rows", "a list of objects, one a row", Array.isArray)?.flatMap((row, n): Properties[] => {
    if (isObject(row)) return [row];
    if (row === UNKNOWN) unknown.add("rows");
    else fail(`rows[${n}]`, `found ${kindOf(row)}, expected an object of column names and values`);
    return [];
  });
  const inputs: RowsInputs = {
    tableText,
    table: parseTableName(tableText),
    key: columns("key"),
    rows,
    file: read("file", "a string", isText),
    nullText: read("nullText", "a string", isText) ?? "",
    exclusive: read("exclusive", "a boolean", isFlag) ?? false,
    secretColumns: columns("secretColumns"),
    compareWith,
    initialColumns: columns("initialColumns"),
    unknown,
  };
  checkTogether(inputs, properties, fail);
  return { inputs, failures };
}

/** The inputs of a resource that Check has seen. Throws a `UserError` with all faults otherwise. */
export function checkedRowsInputs(properties: Properties): RowsInputs {
  const { inputs, failures } = parseRowsInputs(properties);
  if (failures.length === 0) return inputs;
  throw new InputError(failures);
}

function checkTogether(inputs: RowsInputs, properties: Properties, fail: Fail): void {
  const { unknown, key, secretColumns, initialColumns, compareWith, file, tableText } = inputs;
  const isLeftOut = (name: PropertyName): boolean => properties[name] === undefined || properties[name] === null;
  if (!inputs.table && !unknown.has("table") && (isLeftOut("table") || typeof properties.table === "string"))
    fail("table", `found ${tableText === "" ? "nothing" : `"${tableText}"`}, expected ${TABLE_SHAPE}`);
  if (key.length === 0 && !unknown.has("key"))
    fail("key", 'found no column, expected at least one that identifies a row, e.g. ["code"]');
  if (isLeftOut("rows") && isLeftOut("file"))
    fail("rows", "found neither rows nor file; expected the rows themselves, or the path of a CSV or JSON file");
  if (!isLeftOut("rows") && !isLeftOut("file")) fail("file", "found rows and file; expected one of them");
  if (file !== undefined && fileKindOf(file) === undefined)
    fail("file", `found "${file}", expected a name that ends in .${Object.keys(FILE_KINDS).join(", .")}`);
  for (const column of key) {
    for (const [property, names] of Object.entries({ secretColumns, initialColumns }))
      if (names.includes(column)) fail(property, `column "${column}" is in key too; a key is shown and held`);
  }
  for (const column of compareWith.keys()) {
    if (!secretColumns.includes(column) && !unknown.has("secretColumns"))
      fail(
        propertyPath("compareWith", column),
        "the column is not in secretColumns; only secrets are compared by an expression",
      );
  }
}

/** Whether a preview can compare the set with the database. */
export function isKnown({ table, unknown }: RowsInputs): boolean {
  return table !== undefined && unknown.size === 0;
}
