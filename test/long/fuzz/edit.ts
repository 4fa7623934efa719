import type { Draw } from "./draw.ts";
import { drawColumn, drawType, drawValue, type Keys, namesFor, withAny } from "./generate.ts";
import { type Column, columnsOf, type Model, ofKind, type SchemaObject, type Table } from "./model.ts";
import { drawName, freeName } from "./oddNames.ts";
import { PLAIN_TYPES, type PlainType } from "./types.ts";
import { validated } from "./valid.ts";

/** The model after one change of it: an object comes, goes or becomes different. */
export function edited(model: Model, draw: Draw, keys: Keys): Model {
  const choice = draw.below(100);
  if (choice < 50) {
    const object = draw.pick(model);
    if (object === undefined) return model;
    const changed = change(object, model, draw, keys);
    return validated(model.map((other) => (other === object ? changed : other)));
  }
  if (choice < 78) return withAny(draw, model, keys);
  // With a schema all that it holds would go.
  const victim = draw.pick(model.filter(({ kind }) => kind !== "schema" || draw.chance(10)));
  return validated(model.filter((object) => object !== victim));
}

const RENAMES_PERCENT = 7;

function change(object: SchemaObject, model: Model, draw: Draw, keys: Keys): SchemaObject {
  if ("name" in object && draw.chance(RENAMES_PERCENT))
    return { ...object, name: freeName(drawName(draw), namesFor(model, object)) };
  switch (object.kind) {
    case "schema":
      return object;
    case "enum": {
      const last = object.values.length - 1;
      const label = freeName(drawName(draw), new Set(object.values));
      if (draw.chance(25) && last > 0) return { ...object, values: object.values.slice(0, last) };
      return { ...object, values: object.values.toSpliced(1 + draw.below(object.values.length), 0, label) };
    }
    case "domain":
      return draw.one([
        { ...object, check: !object.check },
        { ...object, byDefault: !object.byDefault },
        { ...object, notNull: !object.notNull },
        { ...object, base: draw.one(familyOf(object.base)) },
      ]);
    case "composite": {
      const name = freeName(drawName(draw), new Set(object.attributes.map((attribute) => attribute.name)));
      const [first, ...rest] = object.attributes;
      if (first === undefined) return object;
      return draw.one([
        { ...object, attributes: [...object.attributes, { name, type: draw.one(PLAIN_TYPES) }] },
        { ...object, attributes: [{ ...first, type: draw.one(PLAIN_TYPES) }, ...rest] },
        ...(rest.length === 0 ? [] : [{ ...object, attributes: rest }]),
      ]);
    }
    case "sequence": {
      const table = draw.pick(ofKind(model, "table").filter(({ schema }) => schema === object.schema));
      const column = draw.pick(table?.columns ?? []);
      const ownedBy =
        table === undefined || column === undefined ? {} : { ownedBy: { table: table.key, column: column.key } };
      return draw.one([
        { ...object, increment: object.increment + 1 },
        { ...object, cycle: !object.cycle },
        { ...object, start: object.start + 10 },
        { ...object, ...ownedBy },
      ]);
    }
    case "table":
      return changeTable(object, model, draw, keys);
    case "partition":
      return { ...object, number: object.number + 5 };
    case "constraint":
      return { ...object, variant: object.variant + 1 + draw.below(4) };
    case "index": {
      const columns = draw.some(
        columnsOf(model, object.table).map(({ key }) => key),
        2,
      );
      return draw.one([
        { ...object, unique: !object.unique },
        { ...object, where: !object.where },
        { ...object, descending: !object.descending },
        { ...object, expression: !object.expression },
        { ...object, columns },
      ]);
    }
    case "view":
      return changeView(object, model, draw, keys);
    case "routine":
    case "trigger":
    case "policy":
      return { ...object, variant: object.variant + 1 + draw.below(5) };
    case "grant":
      return draw.one([
        { ...object, variant: object.variant + 1 },
        { ...object, to: object.to === "role" ? "public" : "role" },
      ]);
    case "comment":
      return { ...object, text: drawName(draw) };
  }
}

function changeView(view: Extract<SchemaObject, { kind: "view" }>, model: Model, draw: Draw, keys: Keys): SchemaObject {
  const shown = new Set(view.columns.map(({ name }) => name));
  const more = draw.pick(columnsOf(model, view.source).filter(({ name }) => !shown.has(name)));
  const [first, ...rest] = view.columns;
  return draw.one([
    { ...view, variant: view.variant + 1 },
    { ...view, columns: view.columns.map((column, n) => (n === 0 ? { ...column, asText: !column.asText } : column)) },
    { ...view, columns: rest.length === 0 && first !== undefined ? [first] : rest },
    { ...view, materialized: !view.materialized },
    ...(more === undefined
      ? []
      : [
          { ...view, columns: [...view.columns, { key: keys.next(), name: more.name, from: more.key, asText: false }] },
        ]),
  ]);
}

function changeTable(table: Table, model: Model, draw: Draw, keys: Keys): SchemaObject {
  const choice = draw.below(100);
  const position = draw.below(Math.max(1, table.columns.length));
  const column = table.columns[position];
  if (choice < 45 && column !== undefined)
    return { ...table, columns: table.columns.with(position, changeColumn(column, table, model, draw)) };
  if (choice < 70) return { ...table, columns: [...table.columns, drawColumn(draw, model, table.columns, keys)] };
  if (choice < 85) return { ...table, columns: table.columns.filter((other) => other !== column) };
  if (choice < 95) return { ...table, rowSecurity: draw.one(["off", "on", "forced"]) };
  if (choice < 97) return { ...table, unlogged: !table.unlogged };
  return { ...table, fillfactor: !table.fillfactor };
}

function changeColumn(column: Column, table: Table, model: Model, draw: Draw): Column {
  const choice = draw.below(100);
  const others = table.columns.filter((other) => other !== column);
  if (choice < 30) return { ...column, notNull: !column.notNull };
  if (choice < 55) return { ...column, value: drawValue(draw, model, others) };
  if (choice < 63) return { ...column, name: freeName(drawName(draw), new Set(others.map((other) => other.name))) };
  // Mostly a type that the rows' values convert to.
  if (choice < 95 && typeof column.type !== "number") return { ...column, type: draw.one(familyOf(column.type)) };
  return { ...column, type: drawType(draw, model) };
}

function familyOf(type: PlainType): [PlainType, ...PlainType[]] {
  const alike = PLAIN_TYPES.filter((other) => other !== type && other.family === type.family);
  return type.family === "other" ? [type] : [type, ...alike];
}
