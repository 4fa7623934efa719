import type { Column, Scope } from "./scope.ts";
import { constantOf, INTEGER, TEXT } from "./types.ts";

export function textCondition({ draw }: Scope, ref: string): string {
  return draw.one([
    `${ref} in ('a', 'b')`,
    `${ref} like 'a%'`,
    `${ref} not like '%!_%' escape '!'`,
    `${ref} ilike '%x%'`,
    `${ref} not ilike ''`,
    `${ref} similar to '(a|b)%'`,
    `${ref} not similar to 'x+' escape '#'`,
    `${ref} ~ '^[a-z]+$'`,
    `${ref} !~* 'x'`,
    `${ref} like any (array['a%', 'b%'])`,
    `${ref} ilike any ('{a%,b%}')`,
    `${ref} not like all (array['a%', 'b%'])`,
    `${ref} ~ any (array['a', 'b'])`,
    `length(${ref}) > 3`,
    `char_length(trim(${ref})) between 1 and 20`,
    `${ref} <> ''`,
    `lower(${ref}) = ${ref}`,
    `lower(${ref}) in ('a', 'b')`,
    `upper(${ref}) <> all (array['A', 'B'])`,
    `${ref} = any (string_to_array('a,b', ','))`,
    `${ref}::text collate "C" < 'b'`,
    `${ref} collate "C" in ('a', 'b')`.replace("collate", "::text collate"),
    `starts_with(${ref}::text, 'a')`,
    `${ref}::text ^@ 'a'`,
    `substring(${ref}::text from 1 for 1) = 'a'`,
    `position('@' in ${ref}::text) > 1`,
    `${ref} || 'x' = 'ax'`,
    `${ref} in ('a'::varchar, 'b')`,
    `${ref} in ('a'::varchar(2), 'b'::char(1))`,
    `${ref} = 'a'::char(2)`,
    `coalesce(nullif(trim(${ref}), ''), 'x') in ('a', 'b')`,
    `left(${ref}, 1) in ('a', 'b')`,
    `(case when ${ref} = 'a' then 'b' else ${ref} end) in ('a', 'b')`,
    `coalesce(${ref}, 'a') in ('a', 'b')`,
    `${ref}::varchar(5) = any ('{a,b}'::varchar(5)[])`,
    `${ref}::text = any (array['a'::varchar, 'b'])`,
    `array[${ref}] <@ array['a', 'b']::varchar[]`
      .replace("::varchar[]", "")
      .replace(`array[${ref}]`, `array[${ref}::text]`),
    `${ref} is normalized`.replace(ref, `${ref}::text`),
  ]);
}

export function rangeCondition({ draw }: Scope, { ref, type }: Column): string {
  const element = type.family === "range" ? type.element : type.element?.element;
  const item = constantOf(draw, element ?? INTEGER, true);
  const other = constantOf(draw, type, true);
  return draw.one([
    `${ref} @> ${item}`,
    `${item} <@ ${ref}`,
    `${ref} && ${other}`,
    `${ref} -|- ${other}`,
    `not isempty(${ref})`,
    `lower(${ref}) is not null`,
    `upper(${ref}) > ${item}`,
    `upper_inf(${ref})`,
    `${ref} << ${other}`,
    `${ref} @> ${constantOf(draw, type, true)}`,
  ]);
}

export function arrayCondition({ draw }: Scope, { ref, type }: Column): string {
  const element = type.element ?? TEXT;
  const item = constantOf(draw, element, true);
  const list = `array[${item}, ${constantOf(draw, element)}]`;
  if (!element.ordered)
    return draw.one([`cardinality(${ref}) > 0`, `${ref} is not null`, `array_length(${ref}, 1) between 1 and 3`]);
  return draw.one([
    `${item} = any (${ref})`,
    `${constantOf(draw, element)} <> all (${ref})`,
    `${ref} @> ${list}::${type.sql}`,
    `${ref} <@ ${list}::${type.sql}`,
    `${ref} && ${draw.pick(type.constants) ?? "'{}'"}`,
    `${ref}[1] = ${constantOf(draw, element)}`,
    `${ref}[1] in (${constantOf(draw, element)}, ${constantOf(draw, element)})`,
    `${ref}[1:2] = '{}'`,
    `${ref}[array_lower(${ref}, 1)] is not null`,
    `cardinality(${ref}) > 0`,
    `array_length(${ref}, 1) in (1, 2)`,
    `${ref} <> '{}'`,
    `${ref} = array[]::${type.sql}`,
    `array_position(${ref}, ${item}) is null`,
    `not (${item} = any (${ref}))`,
    `${ref} = ${draw.pick(type.constants) ?? "'{}'"}::${type.sql}`,
    `${ref} in (${list}::${type.sql}, '{}')`,
  ]);
}

export function jsonCondition({ draw, immutable, major }: Scope, ref: string): string {
  const forms: [string, ...string[]] = [
    `${ref} ? 'a'`,
    `${ref} ?| array['a', 'b']`,
    `${ref} ?& '{a,b}'`,
    `${ref} @> '{"a": 1}'`,
    `${ref} ->> 'a' = 'x'`,
    `${ref} ->> 'a' in ('x', 'y')`,
    `(${ref} ->> 'n')::int > 1`,
    `(${ref} ->> 'ok')::boolean`,
    `${ref} -> 'a' ->> 0 is not null`,
    `${ref} #>> '{a,b}' = 'x'`,
    `${ref}['a'] = '"x"'`,
    `${ref}['a']['b'] is not null`,
    `${ref} @? '$.a[*] ? (@ > 1)'`,
    `${ref} @@ '$.a == 1'`,
    `jsonb_typeof(${ref}) = 'object'`,
    `jsonb_typeof(${ref} -> 'a') in ('string', 'null')`,
    `jsonb_path_exists(${ref}, '$.a')`,
    `coalesce(${ref} ->> 'a', '') <> ''`,
    `(${ref} - 'a') = '{}'`,
    `'"x"' = ${ref} -> 'a'`,
  ];
  const newer =
    major < 16
      ? []
      : [
          `${ref} is json`,
          `${ref} ->> 'a' is json scalar`,
          `${ref} is not json array`,
          `(${ref} ->> 'a') is json object without unique keys`,
        ];
  const newest =
    major < 17 || immutable
      ? []
      : [
          `json_exists(${ref}, '$.a')`,
          `json_exists(${ref}, '$.a ? (@ > $x)' passing 1 as x true on error)`,
          `json_value(${ref}, '$.a') = 'x'`,
          `json_value(${ref}, '$.n' returning int default 0 on empty error on error) > 1`,
          `json_query(${ref}, '$.a' with wrapper) is not null`,
        ];
  return draw.pick([...forms, ...newer, ...newest]) ?? forms[0];
}
