import type { Draw } from "../draw.ts";
import { columnNames } from "./names.ts";
import { predicate } from "./predicates.ts";
import { arrayOf, type Field, SERVER_TYPES, type SqlType, TEXT, typeOf } from "./types.ts";
import { value } from "./values.ts";
import type { World } from "./world.ts";

const LABELS = ["'a'", "'b'", "'open'", "'Closed'", "'in progress'", "'it''s'", "''"] as const;

/** Types of the schema's own. */
export function addType(world: World, draw: Draw): void {
  switch (draw.below(5)) {
    case 0:
    case 1: {
      const name = world.name(draw, "mood");
      const labels = LABELS.slice(draw.below(3), 3 + draw.below(4));
      world.add("enum", `create type ${name} as enum (${labels.join(", ")})`, { name });
      const type = typeOf(name, "enum", [labels[0] ?? "'a'", ...labels.slice(1)]);
      world.types.push(type);
      if (draw.chance(50)) world.types.push(arrayOf(type));
      return;
    }
    case 2: {
      const name = world.name(draw, "pair");
      const names = columnNames(draw, 2 + draw.below(2), []);
      const fields: Field[] = names.map((field) => ({ name: field, type: plain(world, draw) }));
      world.add(
        "composite",
        `create type ${name} as (${fields.map((field) => `${field.name} ${field.type.sql}`).join(", ")})`,
        { name },
      );
      const constant = `'(${",".repeat(fields.length - 1)})'`;
      const ordered = fields.every(({ type }) => type.ordered);
      world.types.push(typeOf(name, "composite", [constant], { fields, prefix: true, ordered }));
      return;
    }
    default:
      addDomain(world, draw);
  }
}

/** A type that a composite or a domain may be made of. */
const plain = (world: World, draw: Draw): SqlType =>
  draw.chance(70) ? draw.one(SERVER_TYPES) : (draw.pick(world.types) ?? TEXT);

export function addDomain(world: World, draw: Draw): void {
  const name = world.name(draw, "dom");
  const base = plain(world, draw);
  const made = (own: Draw): string => {
    // A domain must not ask a table, nor one of its own values what a later function says.
    const scope = world.scope(own, [{ ref: own.one(["value", "VALUE"]), type: base }], { relations: [], routines: [] });
    const byDefault = own.chance(30) ? ` default ${value({ ...scope, columns: [] }, base, 1)}` : "";
    const checks = Array.from(
      { length: own.below(3) },
      (_, n) => `${own.one(["", ` constraint c_${n}`])} check (${predicate(scope, 1)})`,
    );
    return `create domain ${name} ${own.one(["as ", ""])}${base.sql}${byDefault}${checks.join("")}`;
  };
  world.add("domain", made(draw), { name, again: made, plain: `create domain ${name} as ${base.sql}` });
  const domain: SqlType = { ...base, sql: name, prefix: true };
  world.types.push(domain);
  if (draw.chance(30)) world.types.push(arrayOf(domain));
}
