import {
  byKey,
  type Column,
  type Constraint,
  columnsOf,
  type Index,
  isOrdered,
  type Key,
  type Model,
  ofKind,
  plainType,
  pruned,
  type SchemaObject,
  type Table,
} from "./model.ts";

/** The model without what a server would refuse, and without what needs that. */
export function validated(model: Model): Model {
  const whole = pruned(model).map((object) => (object.kind === "table" ? withValidValues(object, model) : object));
  const kept = whole.filter((object) => isValid(object, whole));
  return kept.length === whole.length ? whole : validated(kept);
}

function withValidValues(table: Table, model: Model): Table {
  const columns = table.columns.map((column) => (suits(column, table, model) ? column : plain(column)));
  return columns.every((column, n) => column === table.columns[n]) ? table : { ...table, columns };
}

const plain = (column: Column): Column => ({ ...column, value: { by: "nothing" } });

const EXACT = ["integer", "bigint", "smallint", "numeric", "text"];

/** Whether the default, or what stands for it, is of a kind that the column's type takes. */
function suits(column: Column, table: Table, model: Model): boolean {
  const { value, type } = column;
  const isPartitionKey = table.partitionBy !== undefined && table.columns[0] === column;
  const family = plainType(model, type)?.family;
  const sql = typeof type === "number" ? "" : type.sql;
  switch (value.by) {
    case "nothing":
      return true;
    case "constant":
      return family !== undefined || (typeof type === "number" && byKey(model, type)?.kind === "enum");
    case "volatile":
      return typeof type !== "number";
    case "identity always":
    case "identity by default":
      return ["integer", "bigint", "smallint"].includes(sql) && table.partitionBy === undefined;
    case "sequence":
      return family === "number";
    case "function": {
      const routine = byKey(model, value.function);
      return family === "number" && routine?.kind === "routine" && ["immutable", "volatile"].includes(routine.form);
    }
    case "expression": {
      const from = table.columns.find(({ key }) => key === value.column);
      const isPlain = from !== undefined && from !== column && from.value.by !== "expression";
      return (
        isPlain && !isPartitionKey && sql === "text" && typeof from.type !== "number" && EXACT.includes(from.type.sql)
      );
    }
  }
}

function isValid(object: SchemaObject, model: Model): boolean {
  switch (object.kind) {
    case "table": {
      const [first] = object.columns;
      if (object.partitionBy === undefined) return true;
      return first !== undefined && typeof first.type !== "number" && first.type.sql === "integer" && !object.unlogged;
    }
    case "sequence":
      return object.ownedBy === undefined || schemaOf(model, object.ownedBy.table) === object.schema;
    case "partition":
      return tableOf(model, object.table)?.partitionBy !== undefined;
    case "constraint":
      return isValidConstraint(object, model);
    case "index":
      return isValidIndex(object, model);
    case "view": {
      const source = byKey(model, object.source);
      const own = new Set(columnsOf(model, object.source).map(({ key }) => key));
      return (source?.kind === "table" || source?.kind === "view") && object.columns.every(({ from }) => own.has(from));
    }
    case "routine": {
      if (!["reader", "atomic", "rows"].includes(object.form)) return true;
      const read = object.reads === undefined ? undefined : byKey(model, object.reads);
      return read?.kind === "table" || (read?.kind === "view" && object.form !== "rows");
    }
    case "trigger": {
      const routine = byKey(model, object.routine);
      if (tableOf(model, object.table) === undefined) return false;
      return routine?.kind === "routine" && routine.form === "trigger" && isOwn(model, object.table, object.column);
    }
    case "policy":
      return tableOf(model, object.table) !== undefined && isOwn(model, object.table, object.column);
    case "grant":
    case "comment":
      return object.column === undefined || isOwn(model, object.on, object.column);
    default:
      return true;
  }
}

function isOwn(model: Model, table: Key, column: Key | undefined): boolean {
  return column === undefined || columnsOf(model, table).some(({ key }) => key === column);
}

function tableOf(model: Model, key: Key): Table | undefined {
  const object = byKey(model, key);
  return object?.kind === "table" ? object : undefined;
}

function schemaOf(model: Model, key: Key): Key | undefined {
  const object = byKey(model, key);
  return object !== undefined && "schema" in object ? object.schema : undefined;
}

/** The table's columns by their keys; undefined when one is not of the table. */
export function ownColumns(table: Table, keys: readonly Key[]): Column[] | undefined {
  const found = keys.flatMap((key) => table.columns.filter((column) => column.key === key));
  return found.length === keys.length ? found : undefined;
}

function isValidConstraint({ key, table: on, form, columns: keys, to, variant }: Constraint, model: Model): boolean {
  const table = tableOf(model, on);
  const columns = table === undefined ? undefined : ownColumns(table, keys);
  if (table === undefined || columns === undefined || columns.length === 0) return false;
  const [partitionKey] = table.partitionBy === undefined ? [] : table.columns;
  const isKey = form === "primary" || form === "unique" || form === "exclusion";
  if (isKey && (!columns.every((column) => isOrdered(model, column)) || (partitionKey && columns[0] !== partitionKey)))
    return false;
  switch (form) {
    case "primary":
      return !ofKind(model, "constraint").some(
        (other) => other.form === "primary" && other.table === on && other.key < key,
      );
    case "exclusion":
      return partitionKey === undefined;
    case "foreign": {
      const target = to === undefined ? undefined : tableOf(model, to.table);
      const others = target === undefined || to === undefined ? undefined : ownColumns(target, to.columns);
      if (target === undefined || others === undefined || to === undefined) return false;
      if (target.unlogged && !table.unlogged) return false;
      // Setting a generated column to nothing is refused.
      if (columns.some(({ value }) => value.by === "expression") && variant % 4 !== 0) return false;
      return (
        others.length === columns.length &&
        columns.every((column, n) => sameType(column, others[n])) &&
        isReferable(model, to)
      );
    }
    default:
      return true;
  }
}

const sameType = (a: Column, b: Column | undefined): boolean =>
  a.type === b?.type || (typeof a.type !== "number" && typeof b?.type !== "number" && a.type.sql === b?.type.sql);

/**
 * Whether a key that is checked at once stands on exactly these columns, and no other: which one the server
 * takes would be a matter of chance.
 */
function isReferable(model: Model, { table, columns }: { table: Key; columns: readonly Key[] }): boolean {
  const isSame = (other: readonly Key[]): boolean =>
    other.length === columns.length && columns.every((key) => other.includes(key));
  const keys = ofKind(model, "constraint").filter(
    (other) => other.table === table && (other.form === "primary" || other.form === "unique") && isSame(other.columns),
  );
  const indexes = ofKind(model, "index").filter(
    (other) => other.table === table && other.unique && isSame(other.columns),
  );
  const [only] = keys;
  return keys.length === 1 && indexes.length === 0 && only !== undefined && !isDeferrable(only);
}

export const isDeferrable = ({ variant }: Constraint): boolean => variant % 5 === 4;

/** Whether an index can be made of a column of a table, or of a view of such a column. */
function isOrderedIn(model: Model, on: Key, key: Key): boolean {
  const object = byKey(model, on);
  if (object?.kind === "table") return object.columns.some((column) => column.key === key && isOrdered(model, column));
  if (object?.kind !== "view") return false;
  return object.columns.some(
    (column) => column.key === key && (column.asText || isOrderedIn(model, object.source, column.from)),
  );
}

function isValidIndex({ table: on, columns: keys, unique, method, include }: Index, model: Model): boolean {
  const object = byKey(model, on);
  if (object?.kind === "view") {
    const known = new Set(object.columns.map(({ key }) => key));
    return (
      object.materialized &&
      method === "btree" &&
      !unique &&
      keys.every((key) => known.has(key) && isOrderedIn(model, on, key)) &&
      include === undefined
    );
  }
  if (object?.kind !== "table") return false;
  const columns = ownColumns(object, keys);
  if (columns === undefined || columns.length === 0) return false;
  if (include !== undefined && (!isOwn(model, on, include) || method !== "btree")) return false;
  if (method !== "gin" && !columns.every((column) => isOrdered(model, column))) return false;
  const names = columns.map(({ type }) => (typeof type === "number" ? "" : type.sql));
  switch (method) {
    case "btree":
      return !unique || object.partitionBy === undefined || columns[0] === object.columns[0];
    case "hash":
      return columns.length === 1 && !unique && !names.some((name) => name === "bit varying(16)");
    case "gin":
      return !unique && names.every((name) => ["jsonb", "text[]", "integer[]"].includes(name));
    case "brin":
      return !unique && names.every((name) => ["integer", "bigint", "text", "date", "uuid"].includes(name));
  }
}
