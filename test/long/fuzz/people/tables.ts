import type { Draw } from "../draw.ts";
import { createTable } from "./items.ts";
import { columnNames } from "./names.ts";
import { predicate } from "./predicates.ts";
import { constantOf, type Field, INTEGER, SERVER_TYPES, type SqlType, TEXT } from "./types.ts";
import { value } from "./values.ts";
import { bare, type World } from "./world.ts";

const isPlain = ({ sql }: SqlType): boolean => !sql.includes(".");

/** A table with a key, columns of all types, and what people write behind a column. */
export function addTable(world: World, draw: Draw): void {
  const name = world.name(draw, "t");
  const fields: Field[] = [{ name: "id", type: INTEGER }];
  const columns = ["id integer primary key"];
  const names = columnNames(draw, 4 + draw.below(6), ["id"]);
  for (const column of names) {
    const { sql, field } = drawColumn(world, draw, column, fields);
    columns.push(sql);
    fields.push(field);
  }
  const scope = world.scope(draw, bare(fields), { relations: [] });
  const constraints = Array.from({ length: draw.below(3) }, (_, n) => {
    const named = draw.chance(50) ? `constraint ${world.plainName(draw, `ck${n}`)} ` : "";
    return `${named}check (${predicate(scope, 2)})`;
  });
  const table = { name, columns, constraints };
  const plainColumns = ["id integer primary key", ...fields.slice(1).map((field) => `${field.name} ${field.type.sql}`)];
  world.add("table", createTable(table), {
    name,
    table,
    plain: createTable({ name, columns: plainColumns, constraints: [] }),
  });
  const relation = { sql: name, columns: fields, isPartitioned: false };
  world.tables.push(relation);
  world.relations.push(relation);
}

/** One column, with default, check or expression, as an addition to the others. */
export function drawColumn(
  world: World,
  draw: Draw,
  name: string,
  others: readonly Field[],
): { sql: string; field: Field } {
  const type = draw.chance(70) ? draw.one(SERVER_TYPES) : (draw.pick(world.types) ?? TEXT);
  const field = { name, type };
  const parts = [`${name} ${type.sql}`];
  if (draw.chance(12) && isPlain(type)) {
    const isVirtual = world.major >= 18 && draw.chance(60);
    const from = bare(others.filter((other) => other.isGenerated !== true));
    const columns = isVirtual ? from.filter((column) => isPlain(column.type)) : from;
    const scope = world.scope(draw, columns, {
      relations: [],
      immutable: true,
      ...(isVirtual ? { routines: [], types: SERVER_TYPES } : {}),
    });
    const stored = isVirtual ? draw.one([" virtual", ""]) : " stored";
    return {
      sql: `${name} ${type.sql} generated always as (${value(scope, type, 2)})${stored}`,
      field: { name, type, isGenerated: true },
    };
  }
  if (draw.chance(25)) parts.push("not null");
  if (draw.chance(35)) {
    const scope = world.scope(draw, [], { relations: [] });
    parts.push(`default ${draw.chance(50) ? constantOf(draw, type) : `(${value(scope, type, 1)})`}`);
  }
  if (draw.chance(35)) {
    const scope = world.scope(draw, [{ ref: name, type }, ...bare(others)], { relations: [] });
    parts.push(`check (${predicate(scope, 1)})`);
  }
  return { sql: parts.join(" "), field };
}
