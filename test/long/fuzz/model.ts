import { PLAIN_TYPES, type PlainType } from "./types.ts";

/**
 * Identity of an object or a column of a model, whatever its name. Old and new share the keys of what they
 * share.
 */
export type Key = number;

export interface Schema {
  kind: "schema";
  key: Key;
  name: string;
}

interface InSchema {
  key: Key;
  schema: Key;
  name: string;
}

export interface Enum extends InSchema {
  kind: "enum";
  values: string[];
}

export interface Domain extends InSchema {
  kind: "domain";
  base: PlainType;
  notNull: boolean;
  check: boolean;
  byDefault: boolean;
}

export interface Composite extends InSchema {
  kind: "composite";
  attributes: { name: string; type: PlainType }[];
}

export interface Sequence extends InSchema {
  kind: "sequence";
  start: number;
  increment: number;
  cycle: boolean;
  /** The column that takes the sequence along when it is dropped. */
  ownedBy?: { table: Key; column: Key };
}

/** A plain type, or the key of an enum, a domain or a composite. */
export type TypeRef = PlainType | Key;

export type ColumnValue =
  | { by: "nothing" | "constant" | "volatile" | "identity always" | "identity by default" }
  | { by: "sequence"; sequence: Key }
  | { by: "function"; function: Key }
  /** Generated from another column. */
  | { by: "expression"; column: Key };

export interface Column {
  key: Key;
  name: string;
  type: TypeRef;
  notNull: boolean;
  value: ColumnValue;
}

export interface Table extends InSchema {
  kind: "table";
  columns: Column[];
  /** The first column is the partition key. */
  partitionBy?: "range" | "list" | "hash";
  rowSecurity: "off" | "on" | "forced";
  fillfactor: boolean;
  unlogged: boolean;
}

/** Of a partitioned table; the number 0 holds the rows of the tests. */
export interface Partition extends InSchema {
  kind: "partition";
  table: Key;
  number: number;
}

interface OnTable {
  key: Key;
  table: Key;
  name: string;
}

export interface Constraint extends OnTable {
  kind: "constraint";
  form: "primary" | "unique" | "check" | "foreign" | "exclusion";
  columns: Key[];
  /** Which variant of the form. */
  variant: number;
  to?: { table: Key; columns: Key[] };
}

export interface Index extends OnTable {
  kind: "index";
  columns: Key[];
  unique: boolean;
  method: "btree" | "hash" | "gin" | "brin";
  where: boolean;
  expression: boolean;
  include?: Key;
  descending: boolean;
}

/** What a view shows of its source, which is a table or another view. */
export interface View extends InSchema {
  kind: "view";
  source: Key;
  columns: { key: Key; name: string; from: Key; asText: boolean }[];
  variant: number;
  materialized: boolean;
}

export interface Routine extends InSchema {
  kind: "routine";
  form: "immutable" | "volatile" | "trigger" | "procedure" | "reader" | "atomic" | "rows";
  variant: number;
  /** The table or view that it reads. */
  reads?: Key;
}

export interface Trigger extends OnTable {
  kind: "trigger";
  routine: Key;
  variant: number;
  /** A column that the trigger waits for, or whose value it looks at. */
  column?: Key;
}

export interface Policy extends OnTable {
  kind: "policy";
  variant: number;
  column?: Key;
}

export interface Grant {
  kind: "grant";
  key: Key;
  on: Key;
  column?: Key;
  to: "role" | "public";
  variant: number;
}

export interface Comment {
  kind: "comment";
  key: Key;
  on: Key;
  column?: Key;
  text: string;
}

export type SchemaObject =
  | Schema
  | Enum
  | Domain
  | Composite
  | Sequence
  | Table
  | Partition
  | Constraint
  | Index
  | View
  | Routine
  | Trigger
  | Policy
  | Grant
  | Comment;

/** What a database shall hold. */
export type Model = readonly SchemaObject[];

export function ofKind<K extends SchemaObject["kind"]>(model: Model, kind: K): Extract<SchemaObject, { kind: K }>[] {
  return model.filter((object): object is Extract<SchemaObject, { kind: K }> => object.kind === kind);
}

export const byKey = (model: Model, key: Key): SchemaObject | undefined => model.find((object) => object.key === key);

/** The plain type that a column's values are written as; undefined for enums and composites. */
export function plainType(model: Model, type: TypeRef): PlainType | undefined {
  if (typeof type !== "number") return type;
  const object = byKey(model, type);
  return object?.kind === "domain" ? object.base : undefined;
}

/** Whether a key or an index can be made of the column. */
export function isOrdered(model: Model, { type }: Column): boolean {
  if (typeof type === "number" && byKey(model, type)?.kind === "enum") return true;
  return plainType(model, type)?.ordered ?? false;
}

/** Columns of a table, or of the table behind a view, by which others can refer to it. */
export function columnsOf(model: Model, key: Key): { key: Key; name: string }[] {
  const object = byKey(model, key);
  return object?.kind === "table" || object?.kind === "view" ? object.columns : [];
}

const known = (type: TypeRef, keys: ReadonlySet<Key>): boolean => typeof type !== "number" || keys.has(type);

/** Without what refers to something that is not there, directly or through others. */
export function pruned(model: Model): Model {
  const keys = new Set(model.map(({ key }) => key));
  const columns = new Set(
    model.flatMap((object) =>
      object.kind === "table" || object.kind === "view" ? object.columns.map(({ key }) => key) : [],
    ),
  );
  const kept = model.flatMap((object): SchemaObject[] => {
    const whole = withoutLost(object, keys, columns);
    return whole === undefined ? [] : [whole];
  });
  const same = kept.length === model.length && kept.every((object, n) => object === model[n]);
  return same ? model : pruned(kept);
}

/** The same object when nothing is lost; undefined when it cannot be without what is lost. */
function withoutLost(
  object: SchemaObject,
  keys: ReadonlySet<Key>,
  columns: ReadonlySet<Key>,
): SchemaObject | undefined {
  if ("schema" in object && !keys.has(object.schema)) return undefined;
  if ("table" in object && !keys.has(object.table)) return undefined;
  switch (object.kind) {
    case "sequence": {
      const owner = object.ownedBy;
      if (owner === undefined || (keys.has(owner.table) && columns.has(owner.column))) return object;
      const { ownedBy: _, ...rest } = object;
      return rest;
    }
    case "table": {
      const own = new Set(object.columns.map(({ key }) => key));
      const left = object.columns.filter(
        ({ type, value }) => known(type, keys) && (value.by !== "expression" || own.has(value.column)),
      );
      const valued = left.map((column): Column => {
        const { value } = column;
        const lost =
          (value.by === "sequence" && !keys.has(value.sequence)) ||
          (value.by === "function" && !keys.has(value.function));
        return lost ? { ...column, value: { by: "nothing" } } : column;
      });
      if (object.partitionBy !== undefined && left.length === 0) return undefined;
      const same = valued.length === object.columns.length && valued.every((column, n) => column === object.columns[n]);
      return same ? object : { ...object, columns: valued };
    }
    case "constraint": {
      const { to } = object;
      if (to !== undefined && (!keys.has(to.table) || to.columns.some((key) => !columns.has(key)))) return undefined;
      return object.columns.every((key) => columns.has(key)) ? object : undefined;
    }
    case "index": {
      if (!object.columns.every((key) => columns.has(key))) return undefined;
      if (object.include === undefined || columns.has(object.include)) return object;
      const { include: _, ...rest } = object;
      return rest;
    }
    case "view": {
      if (!keys.has(object.source)) return undefined;
      const left = object.columns.filter(({ from }) => columns.has(from));
      if (left.length === 0) return undefined;
      return left.length === object.columns.length ? object : { ...object, columns: left };
    }
    case "routine":
      return object.reads === undefined || keys.has(object.reads) ? object : undefined;
    case "trigger":
    case "policy":
      if (object.kind === "trigger" && !keys.has(object.routine)) return undefined;
      return object.column === undefined || columns.has(object.column) ? object : undefined;
    case "grant":
    case "comment":
      return keys.has(object.on) && (object.column === undefined || columns.has(object.column)) ? object : undefined;
    default:
      return object;
  }
}

export const DEFAULT_TYPE: PlainType = PLAIN_TYPES[0];
