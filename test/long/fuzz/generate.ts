import type { Draw } from "./draw.ts";
import {
  type Column,
  columnsOf,
  DEFAULT_TYPE,
  type Key,
  type Model,
  ofKind,
  type SchemaObject,
  type Table,
  type TypeRef,
} from "./model.ts";
import { drawName, freeName } from "./oddNames.ts";
import { PLAIN_TYPES } from "./types.ts";
import { validated } from "./valid.ts";

/** Gives out keys that no object has yet. */
export interface Keys {
  next(): Key;
}

export function keysFrom(first: Key): Keys {
  let key = first;
  return { next: () => key++ };
}

const WEIGHTS: readonly [SchemaObject["kind"], number][] = [
  ["table", 14],
  ["constraint", 22],
  ["index", 12],
  ["view", 10],
  ["routine", 8],
  ["enum", 5],
  ["policy", 5],
  ["trigger", 5],
  ["grant", 6],
  ["comment", 6],
  ["sequence", 4],
  ["domain", 4],
  ["composite", 3],
  ["partition", 4],
  ["schema", 3],
];

const KINDS = WEIGHTS.flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));

/** A model of one schema, one table, and an object for each of the lists, as far as they fit together. */
export function drawModel(lists: readonly Draw[], keys: Keys): Model {
  const [first, second, ...rest] = lists;
  let model: Model = [];
  if (first !== undefined) model = added(model, drawObject("schema", first, model, keys));
  if (second !== undefined) model = added(model, drawObject("table", second, model, keys));
  for (const draw of rest) model = withAny(draw, model, keys);
  return model;
}

function added(model: Model, object: SchemaObject | undefined): Model {
  return object === undefined ? model : validated([...model, object]);
}

/** The model with one object more, unless nothing fits after some tries. */
export function withAny(draw: Draw, model: Model, keys: Keys): Model {
  for (let tries = 0; tries < 3; tries++) {
    const more = added(model, drawObject(draw.pick(KINDS) ?? "table", draw, model, keys));
    if (more.length > model.length) return more;
  }
  return model;
}

/** Undefined where the model has nothing that such an object could stand on. */
function drawObject(kind: SchemaObject["kind"], draw: Draw, model: Model, keys: Keys): SchemaObject | undefined {
  const key = keys.next();
  if (kind === "schema") return { kind, key, name: freeName(drawName(draw), namesFor(model, { kind, key })) };
  const schema = draw.pick(ofKind(model, "schema"))?.key;
  const table = draw.pick(ofKind(model, "table"));
  if (schema === undefined) return undefined;
  const inSchema = { key, schema, name: freeName(drawName(draw), namesFor(model, { kind, key, schema })) };
  switch (kind) {
    case "enum":
      return { kind, ...inSchema, values: drawLabels(draw) };
    case "domain": {
      const base = draw.one(PLAIN_TYPES);
      return { kind, ...inSchema, base, notNull: draw.chance(15), check: draw.chance(60), byDefault: draw.chance(30) };
    }
    case "composite":
      return { kind, ...inSchema, attributes: drawAttributes(draw) };
    case "sequence":
      return { kind, ...inSchema, start: 1 + draw.below(3), increment: 1 + draw.below(5), cycle: draw.chance(30) };
    case "table":
      return drawTable(draw, model, keys, inSchema);
    case "routine": {
      const forms = ["immutable", "trigger", "volatile", "procedure", "reader", "atomic", "rows"] as const;
      const reads = draw.pick([...ofKind(model, "table"), ...ofKind(model, "view")]);
      const form = draw.one(forms);
      const reading = reads !== undefined && (form === "reader" || form === "atomic" || form === "rows");
      return { kind, ...inSchema, form, variant: draw.below(6), ...(reading ? { reads: reads.key } : {}) };
    }
    case "view": {
      const source = draw.pick([...ofKind(model, "table"), ...ofKind(model, "view")]);
      if (source === undefined) return undefined;
      const columns = draw.some(columnsOf(model, source.key), 4).map(({ key: from, name }) => ({
        key: keys.next(),
        name: draw.chance(20) ? drawName(draw) : name,
        from,
        asText: draw.chance(20),
      }));
      const unique = columns.filter(({ name }, n) => columns.findIndex((other) => other.name === name) === n);
      return {
        kind,
        ...inSchema,
        source: source.key,
        columns: unique,
        variant: draw.below(5),
        materialized: draw.chance(25),
      };
    }
    default:
      return table === undefined ? undefined : drawPart(kind, draw, model, table, inSchema);
  }
}

function drawPart(
  kind: "partition" | "constraint" | "index" | "trigger" | "policy" | "grant" | "comment",
  draw: Draw,
  model: Model,
  table: Table,
  { key, schema, name: inSchema }: { key: Key; schema: Key; name: string },
): SchemaObject | undefined {
  const column = draw.pick(table.columns)?.key;
  const name = freeName(drawName(draw), namesFor(model, { kind, key, table: table.key }));
  const part = { key, table: table.key, name };
  switch (kind) {
    case "partition": {
      const parent = draw.pick(ofKind(model, "table").filter(({ partitionBy }) => partitionBy !== undefined));
      if (parent === undefined) return undefined;
      const taken = ofKind(model, "partition").filter((other) => other.table === parent.key);
      return { kind, key, schema, name: inSchema, table: parent.key, number: taken.length };
    }
    case "constraint":
      return drawConstraint(draw, model, table, part);
    case "index": {
      const matviews = ofKind(model, "view").filter(({ materialized }) => materialized);
      const matview = draw.chance(15) ? draw.pick(matviews) : undefined;
      const on = matview ?? table;
      const keysOn = columnsOf(model, on.key).map((one) => one.key);
      const columns = draw.some(keysOn, 2);
      const include = draw.chance(15) ? column : undefined;
      return {
        kind,
        key,
        table: on.key,
        name: freeName(name, namesFor(model, { kind, key, table: on.key })),
        columns,
        unique: draw.chance(25),
        method: draw.chance(30) ? draw.one(["hash", "gin", "brin"]) : "btree",
        where: draw.chance(20),
        expression: draw.chance(20),
        ...(include === undefined || columns.includes(include) ? {} : { include }),
        descending: draw.chance(20),
      };
    }
    case "trigger": {
      const routine = draw.pick(ofKind(model, "routine").filter(({ form }) => form === "trigger"));
      const waitsFor = draw.chance(50) ? column : undefined;
      if (routine === undefined) return undefined;
      return { kind, ...part, routine: routine.key, variant: draw.below(8), ...withColumn(waitsFor) };
    }
    case "policy":
      return { kind, ...part, variant: draw.below(10), ...withColumn(draw.chance(50) ? column : undefined) };
    case "grant":
    case "comment": {
      const on = draw.pick(model.filter((object) => object.kind !== "grant" && object.kind !== "comment")) ?? table;
      const columns = on.kind === "table" ? columnsOf(model, on.key) : [];
      const about = draw.chance(40) ? draw.pick(columns)?.key : undefined;
      if (kind === "comment") return { kind, key, on: on.key, text: drawName(draw), ...withColumn(about) };
      const to = draw.chance(30) ? "public" : "role";
      return { kind, key, on: on.key, to, variant: draw.below(4), ...withColumn(about) };
    }
  }
}

const withColumn = (column: Key | undefined): { column?: Key } => (column === undefined ? {} : { column });

function drawConstraint(
  draw: Draw,
  model: Model,
  table: Table,
  part: { key: Key; table: Key; name: string },
): SchemaObject | undefined {
  const kind = "constraint";
  const forms = ["primary", "foreign", "check", "unique", "foreign", "exclusion"] as const;
  const form = draw.one(forms);
  const variant = draw.below(20);
  if (form === "foreign") {
    const [partitionKey] = table.partitionBy === undefined ? [] : table.columns;
    const target = draw.pick(
      ofKind(model, "constraint").filter((one) => one.form === "primary" || one.form === "unique"),
    );
    const other = ofKind(model, "table").find(({ key }) => key === target?.table);
    const columns = target?.columns.map((key) => {
      const desired = other?.columns.find((column) => column.key === key);
      const alike = table.columns.filter(({ type }) => type === desired?.type);
      return (draw.pick(alike) ?? partitionKey)?.key ?? -1;
    });
    if (target === undefined || columns === undefined || new Set(columns).size !== columns.length) return undefined;
    return { kind, ...part, form, columns, variant, to: { table: target.table, columns: target.columns } };
  }
  const columns = draw.some(
    table.columns.map(({ key }) => key),
    form === "check" ? 1 : 2,
  );
  const [first] = table.partitionBy === undefined ? [] : table.columns;
  const keyed =
    first === undefined || form === "check" ? columns : [first.key, ...columns.filter((key) => key !== first.key)];
  return { kind, ...part, form, columns: keyed, variant };
}

function drawTable(
  draw: Draw,
  model: Model,
  keys: Keys,
  inSchema: { key: Key; schema: Key; name: string },
): SchemaObject {
  const count = 1 + draw.below(6);
  const table: Table = {
    kind: "table",
    ...inSchema,
    columns: [],
    rowSecurity: "off",
    fillfactor: false,
    unlogged: false,
  };
  for (let n = 0; n < count; n++) table.columns.push(drawColumn(draw, model, table.columns, keys));
  const settings = ["off", "off", "on", "forced"] as const;
  const rowSecurity = draw.one(settings);
  if (!draw.chance(15)) return { ...table, rowSecurity, fillfactor: draw.chance(10), unlogged: draw.chance(5) };
  const [first, ...rest] = table.columns;
  if (first === undefined) return table;
  const partitionKey: Column = { ...first, type: DEFAULT_TYPE, value: { by: "nothing" } };
  return { ...table, rowSecurity, partitionBy: draw.one(["range", "list", "hash"]), columns: [partitionKey, ...rest] };
}

export function drawColumn(draw: Draw, model: Model, others: readonly Column[], keys: Keys): Column {
  const key = keys.next();
  const type = drawType(draw, model);
  const name = freeName(drawName(draw), new Set(others.map((column) => column.name)));
  const notNull = draw.chance(30);
  return { key, name, type, notNull, value: drawValue(draw, model, others) };
}

export function drawType(draw: Draw, model: Model): TypeRef {
  const made = [...ofKind(model, "enum"), ...ofKind(model, "domain"), ...ofKind(model, "composite")];
  return (draw.chance(25) ? draw.pick(made)?.key : undefined) ?? draw.one(PLAIN_TYPES);
}

/** What the column's type does not take is left out when the model is validated. */
export function drawValue(draw: Draw, model: Model, others: readonly Column[]): Column["value"] {
  const choice = draw.below(100);
  if (choice < 40) return { by: "nothing" };
  if (choice < 60) return { by: "constant" };
  if (choice < 70) return { by: "volatile" };
  if (choice < 80) return { by: draw.one(["identity always", "identity by default"]) };
  const sequence = draw.pick(ofKind(model, "sequence"))?.key;
  const routine = draw.pick(ofKind(model, "routine"))?.key;
  const column = draw.pick(others)?.key;
  if (choice < 86) return sequence === undefined ? { by: "constant" } : { by: "sequence", sequence };
  if (choice < 92) return routine === undefined ? { by: "volatile" } : { by: "function", function: routine };
  return column === undefined ? { by: "nothing" } : { by: "expression", column };
}

/** Labels of an enum; the first one is in every enum, so that rows can hold it before and after a change. */
function drawLabels(draw: Draw): string[] {
  const labels = ["first"];
  for (let n = draw.below(4); n > 0; n--) labels.push(freeName(drawName(draw), new Set(labels)));
  return labels;
}

function drawAttributes(draw: Draw): { name: string; type: (typeof PLAIN_TYPES)[number] }[] {
  const attributes: { name: string; type: (typeof PLAIN_TYPES)[number] }[] = [];
  for (let n = 1 + draw.below(3); n > 0; n--) {
    const name = freeName(drawName(draw), new Set(attributes.map((attribute) => attribute.name)));
    attributes.push({ name, type: draw.one(PLAIN_TYPES) });
  }
  return attributes;
}

/**
 * Names that an object may not have, because the server has one name space for it and the objects of these
 * names.
 */
export function namesFor(
  model: Model,
  object: { kind: SchemaObject["kind"]; key: Key; schema?: Key; table?: Key },
): Set<string> {
  const others = model.filter(({ key }) => key !== object.key);
  const schemaOf = (key: Key | undefined): Key | undefined =>
    model.flatMap((one) => (one.key === key && "schema" in one ? [one.schema] : []))[0];
  if (object.kind === "schema") return new Set(ofKind(others, "schema").map(({ name }) => name));
  const schema = object.schema ?? schemaOf(object.table);
  const onTable = others.flatMap((other) =>
    other.kind !== "partition" && "table" in other && other.table === object.table ? [other.name] : [],
  );
  if (object.kind === "trigger" || object.kind === "policy") return new Set(onTable);
  if (object.kind === "routine")
    return new Set(ofKind(others, "routine").flatMap((other) => (other.schema === schema ? [other.name] : [])));
  const inSchema = others.flatMap((other) => {
    const isRelation =
      other.kind !== "routine" && other.kind !== "trigger" && other.kind !== "policy" && "name" in other;
    const own = "schema" in other ? other.schema : "table" in other ? schemaOf(other.table) : undefined;
    return isRelation && own === schema ? [other.name] : [];
  });
  return new Set([...inSchema, ...(object.table === undefined ? [] : onTable)]);
}
