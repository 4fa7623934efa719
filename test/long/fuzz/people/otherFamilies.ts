import { some } from "./families.ts";
import type { Scope } from "./scope.ts";
import { BOOLEAN, constantOf, INTEGER, JSONB, NUMERIC, type SqlType, TEXT } from "./types.ts";
import { cast, plainValue, value } from "./values.ts";

export function jsonValue(scope: Scope, type: SqlType, depth: number): string {
  const { draw, major } = scope;
  const one = some(scope, JSONB);
  const forms = [
    () => `${one} -> 'a'`,
    () => `${one} -> 'a' -> 0`,
    () => `${one} #> '{a,0}'`,
    () => `${one}['a']['b']`,
    () => `${one}['a'][0]`,
    () => `${one} || '{"x": 1}'`,
    () => `${one} - 'a'`,
    () => `${one} - array['a', 'b']`,
    () => `jsonb_set(${one}, '{a}', 'null')`,
    () => `jsonb_path_query_first(${one}, '$.a ? (@ > 1)')`,
    () =>
      scope.immutable
        ? one
        : `jsonb_build_object('a', ${value(scope, TEXT, depth)}, 'n', ${value(scope, NUMERIC, depth)})`,
    () => (scope.immutable ? one : `to_jsonb(${value(scope, TEXT, depth)})`),
    () => (scope.immutable ? one : rowAsJson(scope)),
    () =>
      major < 16
        ? one
        : draw.one([
            `json_object('a': 1, 'b' value ${plainValue(scope, TEXT)} absent on null returning jsonb)`,
            `json_array(1, 'x', ${plainValue(scope, BOOLEAN)} null on null returning jsonb)`,
            `json_object('k' value 1 with unique keys)`,
            `json_array(select 1)`,
          ]),
    () =>
      major < 17
        ? one
        : draw.one([
            `json('{"a": 1}')`,
            `json_scalar(1)`,
            `json_query(${one}, '$.a' returning jsonb with wrapper)`,
            `json_query(${one}, 'lax $.a[*]' with conditional array wrapper keep quotes null on empty error on error)`,
            `json_value(${one}, '$.a' returning text default 'x' on empty)::jsonb`,
            `json_serialize('{}' returning text)::jsonb`,
          ]),
  ];
  const at = draw.below(forms.length);
  const made = forms[scope.immutable && at >= 13 ? 0 : at]?.() ?? one;
  if (made.includes("select") && scope.relations.length === 0) return one;
  return cast(scope, made, type);
}

function rowAsJson({ draw, rows }: Scope): string {
  const row = draw.pick(rows);
  return row === undefined
    ? "'{}'::jsonb"
    : draw.one([`to_jsonb(${row})`, `row_to_json(${row})::jsonb`, `to_jsonb(${row}.*)`]);
}

export function bitsValue(scope: Scope, type: SqlType, depth: number): string {
  const one = value(scope, type, depth);
  return scope.draw.one([
    `(~ ${one})::${type.sql}`,
    `cast(${one} as ${type.sql})`,
    `(5::bit(4))::${type.sql}`,
    `(B'1' || ${one})::${type.sql}`,
    `(X'1F')::${type.sql}`,
    `(${one} << 1)::${type.sql}`,
  ]);
}

export function otherValue(scope: Scope, type: SqlType, depth: number): string | undefined {
  const { draw } = scope;
  const made = value(scope, type, depth);
  const one = /^[\w"$.]+$/.test(made) ? made : `(${made})`;
  switch (type.family) {
    case "array": {
      const element = type.element ?? TEXT;
      const item = constantOf(draw, element, true);
      const items = `array[${plainValue(scope, element)}, ${constantOf(draw, element)}]`;
      const query = arrayQuery(scope, element);
      return cast(
        scope,
        query ??
          draw.one([
            items,
            `${one} || ${item}`,
            `array_append(${one}, ${item})`,
            `${one}[1:2]`,
            `${one}[:1]`,
            `${one}[2:]`,
            `array[${item}]`,
            `array_remove(${one}, ${item})`,
            "array[]",
            `'{}'`,
          ]),
        type,
      );
    }
    case "range":
      return rangeValue(scope, type, one);
    case "multirange":
      return draw.one([
        `${one} + ${one}`,
        `${one} * ${constantOf(draw, type)}`,
        type.element === undefined ? one : `multirange(${plainValue(scope, type.element)})`,
      ]);
    case "composite": {
      const fields = (type.fields ?? []).map((field) => constantOf(draw, field.type));
      return draw.one([`row(${fields.join(", ")})::${type.sql}`, `cast(row(${fields.join(", ")}) as ${type.sql})`]);
    }
    case "uuid":
      return scope.immutable ? `md5(${some(scope, TEXT)}::text)::uuid` : "gen_random_uuid()";
    case "bytea":
      return draw.one([
        `decode('ff00', 'hex')`,
        `${one} || '\\x00'`,
        `substring(${one} from 1 for 2)`,
        `overlay(${one} placing '\\x01' from 1)`,
        `trim('\\x00'::bytea from ${one})`,
        `sha256(${one})`,
      ]);
    case "tsvector":
      return draw.one([
        `to_tsvector('english', ${some(scope, TEXT)}::text)`,
        `setweight(${one}, 'A')`,
        `${one} || to_tsvector('simple', 'x')`,
        `to_tsvector('pg_catalog.english'::regconfig, coalesce(${some(scope, TEXT)}::text, ''))`,
      ]);
    case "inet":
      return cast(
        scope,
        draw.one([
          `${one}::inet + 1`,
          `set_masklen(${one}::inet, 24)`,
          `network(${one}::inet)`,
          `host(${one}::inet)::inet`,
        ]),
        type,
      );
    case "money":
      return draw.one([`${one} * 2`, `${one} + ${constantOf(draw, type)}`]);
    case "xml":
      return draw.one([
        `xmlelement(name a, xmlattributes(${some(scope, TEXT)}::text as b), 'x')`,
        `xmlforest(1 as "A b", 'x'::text as c)`,
        `xmlconcat(${one}, '<b/>')`,
        `xmlpi(name php, 'echo')`,
        `xmlparse(content '<a/>')`,
        `xmlroot(${one}, version '1.0', standalone yes)`,
        `xmlelement(name "Odd name", ${one})`,
        `xmlparse(document '<a/>' preserve whitespace)`,
      ]);
    case "oid":
      return scope.immutable
        ? one
        : draw.one([
            one,
            `'pg_catalog.pg_class'::regclass::oid::${type.sql}`,
            `to_regclass('pg_class')::oid::${type.sql}`,
          ]);
    default:
      return undefined;
  }
}

function arrayQuery(scope: Scope, element: SqlType): string | undefined {
  const relation = scope.draw.pick(scope.relations);
  const column = relation?.columns.find((one) => one.type.sql === element.sql);
  if (relation === undefined || column === undefined || scope.draw.chance(50)) return undefined;
  const alias = scope.alias();
  return `array(select ${alias}.${column.name} from ${relation.sql} ${alias} order by 1)`;
}

function rangeValue(scope: Scope, type: SqlType, one: string): string {
  const { draw } = scope;
  const element = type.element ?? INTEGER;
  const bounds = `${plainValue(scope, element)}, ${draw.one(["null", "null", constantOf(draw, element)])}`;
  const make = `${type.sql}(${bounds}${draw.one(["", ", '[]'", ", '[)'"])})`;
  return draw.one([
    make,
    make,
    `${one} * ${constantOf(draw, type)}`,
    `${one} + ${one}`,
    `range_merge(${one}, ${constantOf(draw, type)})`,
  ]);
}
