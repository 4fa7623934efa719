import { numberValue, textValue, timeValue } from "./families.ts";
import { bitsValue, jsonValue, otherValue } from "./otherFamilies.ts";
import { predicate } from "./predicates.ts";
import { columnLike, columnOf, type Scope } from "./scope.ts";
import { constantOf, type SqlType } from "./types.ts";

/** An expression of a type, or of one of its family where that does as well. */
export function value(scope: Scope, type: SqlType, depth: number): string {
  const { draw } = scope;
  const way = draw.below(depth <= 0 ? 4 : 16);
  if (way < 3) return columnLike(scope, type)?.ref ?? columnOf(scope, type.family)?.ref ?? constantOf(draw, type, true);
  if (way === 3) return constantOf(draw, type, true);
  if (way < 11) return composed(scope, type, depth - 1);
  return ofFamily(scope, type, depth - 1) ?? composed(scope, type, depth - 1);
}

/** Something of this very type: what has an unclear type is cast. */
export function exactly(scope: Scope, type: SqlType): string {
  const column = columnLike(scope, type);
  if (column !== undefined && scope.draw.chance(60)) return column.ref;
  return cast(scope, constantOf(scope.draw, type, true), type);
}

export function cast({ draw }: Scope, expression: string, type: SqlType): string {
  return draw.chance(50) ? `cast(${expression} as ${type.sql})` : `(${expression})::${type.sql}`;
}

/** A column of the type where there is one, else a constant that tells its type. */
export function plainValue(scope: Scope, type: SqlType): string {
  return columnLike(scope, type)?.ref ?? constantOf(scope.draw, type, true);
}

/** What can be made of any type. */
function composed(scope: Scope, type: SqlType, depth: number): string {
  const { draw } = scope;
  const one = value(scope, type, depth);
  const constant = constantOf(draw, type);
  switch (draw.below(type.ordered ? 10 : 6)) {
    case 0:
      return `coalesce(${one}, ${constant})`;
    case 1:
      return `case when ${predicate(scope, depth)} then ${one} else ${constant} end`;
    case 2: {
      const other = draw.chance(50) ? "" : ` when ${predicate(scope, depth)} then ${plainValue(scope, type)}`;
      return `case when ${predicate(scope, depth)} then ${one}${other} end`;
    }
    case 3:
      return cast(scope, one, type);
    case 4:
      return scalarQuery(scope, type) ?? one;
    case 5:
      return fieldOf(scope, type) ?? elementOf(scope, type) ?? one;
    case 6:
      return `nullif(${one}, ${constant})`;
    case 7:
      return `${draw.one(["greatest", "least"])}(${one}, ${constant})`;
    case 8: {
      const subject = draw.pick(scope.columns.filter((column) => column.type.ordered));
      if (subject === undefined) return one;
      const when = constantOf(draw, subject.type);
      return `case ${subject.ref} when ${when} then ${one} else ${constant} end`;
    }
    default:
      return called(scope, type) ?? `coalesce(null, ${one})`;
  }
}

function scalarQuery(scope: Scope, type: SqlType): string | undefined {
  const relation = scope.draw.pick(scope.relations);
  const column = scope.draw.pick(relation?.columns.filter((one) => one.type.sql === type.sql) ?? []);
  if (relation === undefined || column === undefined) return undefined;
  const alias = scope.alias();
  const aggregate = type.ordered && /^(text|number|date|time)/.test(type.family) && scope.draw.chance(40);
  return aggregate
    ? `(select max(${alias}.${column.name}) from ${relation.sql} ${alias})`
    : `(select ${alias}.${column.name} from ${relation.sql} as ${alias} order by 1 limit 1)`;
}

function fieldOf(scope: Scope, type: SqlType): string | undefined {
  const composites = scope.columns.filter(({ type: { fields } }) =>
    fields?.some((field) => field.type.sql === type.sql),
  );
  const composite = scope.draw.pick(composites);
  const field = composite?.type.fields?.find((one) => one.type.sql === type.sql);
  return composite === undefined || field === undefined ? undefined : `(${composite.ref}).${field.name}`;
}

function elementOf(scope: Scope, type: SqlType): string | undefined {
  const holders = scope.columns.filter(({ type: { element } }) => element?.sql === type.sql);
  const holder = scope.draw.pick(holders);
  if (holder === undefined) return undefined;
  switch (holder.type.family) {
    case "array":
      return `${holder.ref}${scope.draw.one(["[1]", "[array_upper(array[1], 1)]"])}`;
    case "range":
      return `${scope.draw.one(["lower", "upper"])}(${holder.ref})`;
    default:
      return `range_merge(${holder.ref})`;
  }
}

/** A call of one of the schema's functions. */
export function called(scope: Scope, type: SqlType): string | undefined {
  const { draw } = scope;
  const routine = draw.pick(scope.routines.filter(({ result }) => result.sql === type.sql));
  if (routine === undefined) return undefined;
  const named = draw.chance(40);
  const left = routine.parameters.filter(({ hasDefault }) => !(hasDefault === true && draw.chance(50)));
  // Behind a parameter that is left out, the others must be named.
  const gap = left.some((parameter, n) => routine.parameters[n] !== parameter);
  const args = left.map((parameter) => {
    const argument = plainValue(scope, parameter.type);
    if (parameter.variadic === true)
      return draw.chance(50) || named || gap
        ? `variadic ${named || gap ? `${parameter.name} => ` : ""}array[${argument}]`
        : argument;
    return named || gap ? `${parameter.name} ${draw.one(["=>", ":="])} ${argument}` : argument;
  });
  return `${routine.sql}(${args.join(", ")})`;
}

function ofFamily(scope: Scope, type: SqlType, depth: number): string | undefined {
  switch (type.family) {
    case "text":
      return textValue(scope, type, depth);
    case "number":
      return numberValue(scope, type, depth);
    case "boolean":
      return `(${predicate(scope, depth)})`;
    case "date":
    case "timestamp":
    case "timestamptz":
    case "time":
    case "interval":
      return timeValue(scope, type, depth);
    case "json":
    case "jsonb":
      return jsonValue(scope, type, depth);
    case "bits":
      return bitsValue(scope, type, depth);
    default:
      return otherValue(scope, type, depth);
  }
}
