import type { Draw } from "../draw.ts";
import { createTable, type Item, needsOf } from "./items.ts";
import { addAny } from "./schema.ts";
import { drawColumn } from "./tables.ts";
import type { World } from "./world.ts";

/** One edit of the files. */
export interface Change {
  what: string;
  items: readonly Item[];
}

/**
 * What somebody makes of the items in one commit: a column more, another expression, a thing more or less.
 */
export function changed(world: World, items: readonly Item[], draw: Draw): Change {
  const way = draw.below(4);
  return (
    (way === 0 ? withColumn(world, items, draw) : undefined) ??
    (way === 1 ? withoutOne(items, draw) : undefined) ??
    (way === 2 ? withOther(items, draw) : undefined) ??
    withOneMore(world, items, draw)
  );
}

function withColumn(world: World, items: readonly Item[], draw: Draw): Change | undefined {
  const item = draw.pick(items.filter(({ table }) => table !== undefined));
  const fields = world.tables.find(({ sql }) => sql === item?.name)?.columns;
  if (item?.table === undefined || fields === undefined) return undefined;
  const { sql } = drawColumn(world, draw, draw.one(["added", '"Added one"']), fields);
  const columns = [...item.table.columns];
  columns.splice(draw.chance(50) ? columns.length : 1 + draw.below(columns.length - 1), 0, sql);
  const table = { ...item.table, columns };
  return { what: `a column of ${item.name}: ${sql}`, items: replaced(items, item, { table, sql: createTable(table) }) };
}

function withoutOne(items: readonly Item[], draw: Draw): Change | undefined {
  const needed = new Set(items.flatMap(({ needs }) => needs));
  const gone = draw.pick(
    items.filter(({ key, kind }) => !needed.has(key) && kind !== "schema" && kind !== "extension"),
  );
  if (gone === undefined) return undefined;
  return { what: `gone: ${gone.sql}`, items: items.filter(({ key }) => key !== gone.key) };
}

function withOther(items: readonly Item[], draw: Draw): Change | undefined {
  const item = draw.pick(items.filter(({ again }) => again !== undefined));
  const sql = item?.again?.(draw);
  if (item === undefined || sql === undefined) return undefined;
  const before = items.slice(0, items.indexOf(item));
  return { what: `was: ${item.sql}\nis: ${sql}`, items: replaced(items, item, { sql, needs: needsOf(sql, before) }) };
}

function withOneMore(world: World, items: readonly Item[], draw: Draw): Change {
  const before = new Set(world.items.map(({ key }) => key));
  const first = addAny(world, draw, "app.on_change");
  const more = world.items.filter(({ key }) => !before.has(key));
  // So that the world is as it was, for the next question.
  world.items.splice(world.items.length - more.length);
  return { what: `new: ${first?.sql}`, items: [...items, ...more] };
}

function replaced(items: readonly Item[], old: Item, change: Partial<Item>): Item[] {
  return items.map((item) => (item === old ? { ...item, ...change } : item));
}
