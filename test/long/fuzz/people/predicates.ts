import { familyPredicate } from "./familyPredicates.ts";
import type { Column, Scope } from "./scope.ts";
import { BOOLEAN, constantOf, type SqlType } from "./types.ts";
import { called, plainValue, value } from "./values.ts";

/** A condition as stands in a check, a policy, a WHERE. */
export function predicate(scope: Scope, depth: number): string {
  const { draw } = scope;
  const way = draw.below(depth <= 0 ? 10 : 20);
  if (way < 5) return compared(scope, depth);
  if (way < 10) return special(scope, depth) ?? compared(scope, depth);
  switch (way) {
    case 10:
      return `${predicate(scope, depth - 1)} and ${predicate(scope, depth - 1)}`;
    case 11:
      return `(${predicate(scope, depth - 1)} or ${predicate(scope, depth - 1)})`;
    case 12:
      return `not (${predicate(scope, depth - 1)})`;
    case 13:
      return `(${predicate(scope, depth - 1)}) ${draw.one(["is true", "is not true", "is false", "is unknown", "is not unknown"])}`;
    case 14:
      return rows(scope) ?? compared(scope, depth);
    case 15:
      return subquery(scope) ?? compared(scope, depth);
    case 16:
      return `case when ${predicate(scope, depth - 1)} then true else ${predicate(scope, depth - 1)} end`;
    case 17:
      return called(scope, BOOLEAN) ?? `coalesce(${predicate(scope, depth - 1)}, false)`;
    case 18:
      return `(${predicate(scope, depth - 1)}) ${draw.one(["=", "<>", "is distinct from"])} (${predicate(scope, depth - 1)})`;
    default:
      return special(scope, depth) ?? compared(scope, depth);
  }
}

function special(scope: Scope, depth: number): string | undefined {
  const column = scope.draw.pick(scope.columns);
  return column === undefined ? undefined : familyPredicate(scope, column, depth);
}

/** A comparison of a column or an expression with constants, or a list of them. */
function compared(scope: Scope, depth: number): string {
  const { draw } = scope;
  const column = draw.pick(scope.columns.filter(({ type }) => type.ordered));
  if (column === undefined) return draw.one(["true", "1 = 1", "null is null"]);
  const { type } = column;
  const left = draw.chance(depth > 0 ? 25 : 0) ? `(${value(scope, type, depth - 1)})` : column.ref;
  const one = constantOf(draw, type);
  const two = constantOf(draw, type);
  const list = [one, two, constantOf(draw, type)].slice(0, 1 + draw.below(3)).join(", ");
  switch (draw.below(22)) {
    case 0:
    case 1:
    case 2:
      return `${left} ${draw.one(["in", "not in"])} (${list})`;
    case 3:
      return `${left} = ${one}`;
    case 4:
      return `${left} ${draw.one(["<>", "!=", "<", ">=", ">", "<="])} ${one}`;
    case 5:
      return `${left} = any (array[${list}]${draw.one(["", `::${type.sql}[]`])})`;
    case 6:
      return `${left} <> all (array[${list}]${draw.one(["", `::${type.sql}[]`])})`;
    case 7:
      return `${left} = any (${arrayConstant(type)}${draw.one(["", "", `::${type.sql}[]`])})`;
    case 8:
      return `${left} ${draw.one(["between", "not between", "between symmetric", "not between symmetric"])} ${one} and ${two}`;
    case 9:
      return `${left} ${draw.one(["is distinct from", "is not distinct from"])} ${one}`;
    case 10:
      return `${left} ${draw.one(["is null", "is not null", "isnull", "notnull"])}`;
    case 11:
      return `coalesce(${left}, ${one}) = ${two}`;
    case 12:
      return `nullif(${left}, ${one}) is null`;
    case 13:
      return `case ${left} when ${one} then true when ${two} then false else null end`;
    case 14:
      return `${one} = ${left}`;
    case 15:
      return `${left} in (${list}, null)`;
    case 16:
      return `${left} = ${plainValue(scope, type)}`;
    case 17:
      return `${left}::text ${draw.one(["in", "not in"])} ('a', 'b')`;
    case 18:
      return `cast(${left} as varchar(10)) in ('a', 'b')`;
    case 19:
      return `${left} in (${plainValue(scope, type)}, ${list})`;
    case 20:
      return `${left}::text = any (array['a', 'b']::varchar[])`;
    default:
      return `${draw.one(["greatest", "least"])}(${left}, ${one}) < ${two}`;
  }
}

function arrayConstant({ constants }: SqlType): string {
  const inner = constants[0].slice(1, -1).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `'{"${inner}"}'`;
}

/** Comparisons of whole rows. */
function rows(scope: Scope): string | undefined {
  const { draw } = scope;
  const columns = draw.some(
    scope.columns.filter(({ type }) => type.ordered),
    3,
  );
  if (columns.length < 2) return undefined;
  const left = columns.map(({ ref }) => ref).join(", ");
  const right = (): string => columns.map(({ type }) => constantOf(draw, type)).join(", ");
  return draw.one([
    `(${left}) = (${right()})`,
    `(${left}) <> (${right()})`,
    `(${left}) in ((${right()}), (${right()}))`,
    `(${left}) not in ((${right()}), (${right()}))`,
    `row(${left}) < row(${right()})`,
    `row(${left}) is distinct from row(${right()})`,
    `(${left}) is not distinct from (${right()})`,
    `row(${left}) is null`,
    `(${left}) is not null`,
    `(${left}) >= (${right()})`,
    `row(${left}) = row(${right()})`,
  ]);
}

/** Conditions with a query in them. */
function subquery(scope: Scope): string | undefined {
  const { draw } = scope;
  const relation = draw.pick(scope.relations);
  const outer = draw.pick(scope.columns.filter(({ type }) => type.ordered));
  if (relation === undefined || outer === undefined) return undefined;
  const alias = scope.alias();
  const inner = relation.columns.find(({ type }) => type.sql === outer.type.sql);
  const from = `from ${relation.sql} ${draw.one(["", "as "])}${alias}`;
  if (inner === undefined)
    return draw.one([`exists (select ${from})`, `not exists (select 1 ${from})`, `(select count(*) ${from}) > 0`]);
  const column = `${alias}.${inner.name}`;
  const where = conditionOn(scope, { ref: column, type: inner.type });
  return draw.one([
    `exists (select 1 ${from} where ${column} = ${outer.ref})`,
    `${outer.ref} in (select ${column} ${from} where ${where})`,
    `${outer.ref} not in (select ${column} ${from})`,
    `${outer.ref} = any (select ${inner.name} ${from})`,
    `${outer.ref} > all (select ${column} ${from} where ${where})`,
    `(${outer.ref}, 1) in (select ${column}, 1 ${from})`,
    `${outer.ref} = (select max(${column}::text) ${from})::${inner.type.sql}`,
    `(select ${column} ${from} where ${where} limit 1) = ${outer.ref}`,
    `${outer.ref} = any (array(select ${column} ${from}))`,
    `${outer.ref} in (values (${constantOf(draw, outer.type, true)}), (${constantOf(draw, outer.type)}))`,
    `${outer.ref} in (select ${column} ${from} union all select ${constantOf(draw, outer.type)})`,
  ]);
}

/** A short condition on one column. */
export function conditionOn(scope: Scope, { ref, type }: Column): string {
  const one = constantOf(scope.draw, type);
  if (!type.ordered) return `${ref} is not null`;
  return scope.draw.one([
    `${ref} = ${one}`,
    `${ref} in (${one}, ${constantOf(scope.draw, type)})`,
    `${ref} is not null`,
    `${ref} <> ${one}`,
  ]);
}
