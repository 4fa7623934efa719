/**
 * Prints the types of a database as TypeScript: what the driver `pg` gives out with its own parsers, and
 * what it takes as parameters. What there is comes from `readModel.ts`.
 */
import type { CatalogType, Column, DatabaseFunction, DatabaseModel, Relation } from "./model.ts";

/** A type as rows have it, and as statements may give it. */
interface Sides {
  row: string;
  input: string;
}

const same = (type: string): Sides => ({ row: type, input: type });
const NUMBER = same("number");
const TEXT = same("string");
const LONG: Sides = { row: "string", input: "string | number | bigint" };
const MOMENT: Sides = { row: "Date", input: "Date | string" };
const JSON_VALUE: Sides = { row: "Json", input: "JsonInput" };

/** What `pg` makes of the types of the server; all others are texts. */
const PARSED: Record<string, Sides> = {
  bool: same("boolean"),
  int2: NUMBER,
  int4: NUMBER,
  oid: NUMBER,
  float4: NUMBER,
  float8: NUMBER,
  int8: LONG,
  numeric: LONG,
  date: MOMENT,
  timestamp: MOMENT,
  timestamptz: MOMENT,
  json: JSON_VALUE,
  jsonb: JSON_VALUE,
  bytea: { row: "Buffer", input: "Uint8Array" },
  interval: { row: "Interval", input: "string" },
  point: { row: "Point", input: "string" },
  circle: { row: "Point & { radius: number }", input: "string" },
};
/** Types whose arrays `pg` parses; those of all others are texts. */
const PARSED_ARRAYS = new Set([
  ...["bool", "bytea", "int2", "int4", "int8", "oid", "point", "float4", "float8", "numeric", "bpchar", "varchar"],
  ...["text", "macaddr", "inet", "cidr", "timestamp", "timestamptz", "date", "time", "timetz", "interval", "json"],
  ...["jsonb", "uuid", "numrange", "money"],
]);

const HEADER = [
  "// Written by `npm run types`. Do not edit: change the SQL, update the database, and run it again.",
  "",
  "/** What a json or jsonb column holds. */",
  "export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };",
  "/** Given as a parameter: a text is taken for JSON, so a list or a text of JSON has to be stringified. */",
  "export type JsonInput = string | { [key: string]: Json };",
  "/** An interval as `pg` parses it; parts that are zero are missing. */",
  "export interface Interval {",
  ...["years", "months", "days", "hours", "minutes", "seconds", "milliseconds"].map((part) => `  ${part}?: number;`),
  "}",
  "/** What a function that finds no row gives. */",
  "export type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null };",
  "export interface Point {",
  "  x: number;",
  "  y: number;",
  "}",
];

/** The whole file. */
export function printTypes(model: DatabaseModel): string {
  const several = new Set(model.relations.map(({ schema }) => schema)).size > 1;
  const names = uniqueNames(model.relations, several);
  const nameOf = (relation: Relation): string => names.get(relation) ?? "";
  const parts = model.relations.map((relation) => printRelation(relation, nameOf(relation), model.types));
  const tables = model.relations.filter(({ isTable }) => isTable);
  const views = model.relations.filter(({ isTable }) => !isTable);
  return `${[
    HEADER.join("\n"),
    ...parts,
    printIndex(
      "Tables",
      "The tables by name.",
      tables.map((table) => [
        keyOf(table),
        `{ row: ${nameOf(table)}Row; insert: ${nameOf(table)}Insert; update: ${nameOf(table)}Update }`,
      ]),
    ),
    printIndex(
      "Views",
      "The views by name.",
      views.map((view) => [keyOf(view), `{ row: ${nameOf(view)}Row }`]),
    ),
    printFunctions(model, nameOf),
  ].join("\n\n")}\n`;
}

function printRelation(relation: Relation, name: string, types: DatabaseModel["types"]): string {
  const doc = `${keyOf(relation)}${relation.comment === undefined ? "" : `: ${relation.comment}`}`;
  const row = printInterface(
    `${name}Row`,
    doc,
    relation.columns.map((column) => {
      // The catalog does not tell whether a view's column can be null.
      const isNullable = column.isNullable || !relation.isTable;
      return field(column, column.name, sidesOf(column, types).row, isNullable, false);
    }),
  );
  if (!relation.isTable) return row;
  const given = relation.columns.filter(({ isFixed }) => !isFixed);
  const insert = given.map((column) => {
    const { input } = sidesOf(column, types);
    return field(undefined, column.name, input, column.isNullable, column.isNullable || column.hasDefault);
  });
  return [
    row,
    printInterface(`${name}Insert`, `What an INSERT into ${keyOf(relation)} gives.`, insert),
    `/** What an UPDATE of ${keyOf(relation)} may set. */\nexport type ${name}Update = Partial<${name}Insert>;`,
  ].join("\n\n");
}

function printInterface(name: string, doc: string, fields: readonly string[]): string {
  return [`${comment(doc)}export interface ${name} {`, ...fields, "}"].join("\n");
}

function field(
  column: Column | undefined,
  name: string,
  type: string,
  isNullable: boolean,
  isOptional: boolean,
): string {
  const said = column?.comment === undefined ? "" : comment(column.comment, "  ");
  return `${said}  ${property(name)}${isOptional ? "?" : ""}: ${type}${isNullable ? " | null" : ""};`;
}

function printIndex(name: string, doc: string, entries: readonly (readonly [string, string])[]): string {
  return [
    `${comment(doc)}export interface ${name} {`,
    ...entries.map(([key, type]) => `  ${JSON.stringify(key)}: ${type};`),
    "}",
  ].join("\n");
}

/** Of functions of one name, each has its own key, with the types of its arguments. */
function printFunctions(model: DatabaseModel, nameOf: (relation: Relation) => string): string {
  const { functions, types } = model;
  const rowName = ({ type }: DatabaseFunction): string | undefined => {
    const known = types.get(type);
    const relation = model.relations.find(({ schema, name }) => schema === known?.schema && name === known.name);
    return relation && `${nameOf(relation)}Row`;
  };
  const names = functions.map(({ schema, name }) => `${schema}.${name}`);
  const lines = functions.map((each, n) => {
    const name = names[n] ?? "";
    const isOverloaded = names.filter((other) => other === name).length > 1;
    const key = isOverloaded ? `${name}(${each.args.map(({ type }) => types.get(type)?.name ?? "").join(", ")})` : name;
    return [
      each.comment === undefined ? "" : comment(each.comment, "  "),
      `  ${JSON.stringify(key)}: { args: [${each.args.map((arg, at) => argument(arg, at, types)).join(", ")}]; result: ${resultOf(each, rowName(each), types)} };`,
    ].join("");
  });
  return [
    `/** The functions by name: what they take, in order, and what they give. */`,
    "export interface Functions {",
    ...lines,
    "}",
  ].join("\n");
}

function argument(arg: Column, at: number, types: DatabaseModel["types"]): string {
  const { input } = sidesOf(arg, types);
  return `${label(arg.name, at)}${arg.hasDefault ? "?" : ""}: ${input} | null`;
}

/** The elements of a tuple are named by words alone. */
const label = (name: string, at: number): string => (/^[A-Za-z_]\w*$/.test(name) ? name : `arg${at + 1}`);

/** @param row the type of the rows of the table that the function returns rows of. */
function resultOf(
  { columns, type, returnsSet, isProcedure }: DatabaseFunction,
  row: string | undefined,
  types: DatabaseModel["types"],
): string {
  if (row !== undefined) return returnsSet ? `${row}[]` : `Nullable<${row}>`;
  const name = types.get(type)?.name;
  if (columns === undefined && (isProcedure || name === "void")) return "undefined";
  if (columns === undefined) {
    const one = `${sides(type, undefined, types).row} | null`;
    return returnsSet ? `(${one})[]` : one;
  }
  const fields = columns.map(
    (each, n) => `${property(each.name || `column${n + 1}`)}: ${sidesOf(each, types).row} | null`,
  );
  return `{ ${fields.join("; ")} }${returnsSet ? "[]" : ""}`;
}

const sidesOf = ({ type, values }: Column, types: DatabaseModel["types"]): Sides => sides(type, values, types);

function sides(oid: number, values: string[] | undefined, types: DatabaseModel["types"]): Sides {
  const type = types.get(oid);
  if (type === undefined) return TEXT;
  if (type.kind === "d") return sides(type.base, values ?? type.values, types);
  if (type.kind === "e") return same(union(type.labels));
  if (type.element !== 0) return arrayOf(types.get(type.element), types);
  const known = type.schema === "pg_catalog" ? PARSED[type.name] : undefined;
  if (known !== undefined) return known;
  return values === undefined ? TEXT : same(union(values));
}

function arrayOf(element: CatalogType | undefined, types: DatabaseModel["types"]): Sides {
  if (element === undefined) return TEXT;
  const { row, input } = sides(element.oid, undefined, types);
  const isParsed = element.schema === "pg_catalog" && PARSED_ARRAYS.has(element.name);
  const list = (type: string): string => (/[|&]/.test(type) ? `(${type})[]` : `${type}[]`);
  return { row: isParsed ? list(row) : "string", input: list(input) };
}

const union = (values: readonly string[]): string => values.map((value) => JSON.stringify(value)).join(" | ");

const keyOf = ({ schema, name }: { schema: string; name: string }): string => `${schema}.${name}`;

const property = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

/** Names that differ only in what makes no word get a number. */
function uniqueNames(relations: readonly Relation[], isWithSchema: boolean): Map<Relation, string> {
  const taken = new Map<string, number>();
  return new Map(
    relations.map((relation) => {
      const name = pascal(isWithSchema ? `${relation.schema}_${relation.name}` : relation.name);
      const count = (taken.get(name) ?? 0) + 1;
      taken.set(name, count);
      return [relation, count === 1 ? name : `${name}${count}`];
    }),
  );
}

/** `disk_config` → `DiskConfig`. What is no letter or digit separates words. */
function pascal(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Za-z]/.test(joined) ? joined : `Table${joined}`;
}

function comment(text: string, indent = ""): string {
  const safe = text.replaceAll("*/", "*\\/").replaceAll("\n", `\n${indent} * `);
  return safe.includes("\n") ? `${indent}/**\n${indent} * ${safe}\n${indent} */\n` : `${indent}/** ${safe} */\n`;
}
