import { predicate } from "./predicates.ts";
import { columnOf, type Scope } from "./scope.ts";
import { constantOf, INTEGER, INTERVAL, JSONB, type SqlType, TEXT, TIMESTAMP, TIMESTAMPTZ } from "./types.ts";
import { cast, value } from "./values.ts";

/** A column of the family, else a constant of the type. */
export function some(scope: Scope, type: SqlType): string {
  return columnOf(scope, type.family)?.ref ?? `(${constantOf(scope.draw, type, true)})`;
}

const needsCast = (type: SqlType): boolean =>
  !["text", "integer", "numeric", "timestamp", "timestamptz"].includes(type.sql);

/** What a function gives is of the plainest type of the family. */
const as = (scope: Scope, expression: string, type: SqlType): string =>
  needsCast(type) || scope.draw.chance(20) ? cast(scope, expression, type) : expression;

export function textValue(scope: Scope, type: SqlType, depth: number): string {
  const { draw } = scope;
  const one = some(scope, TEXT);
  const other = value(scope, TEXT, depth);
  const count = draw.below(5);
  const forms = [
    () => `upper(${one})`,
    () => `${one} || ${constantOf(draw, TEXT)}`,
    () => `${one} || '-' || ${other}`,
    () => `substring(${one} from ${count})`,
    () => `substring(${one}::text from 1 for ${count})`,
    () => `substring(${one}::text from '[a-z]+')`,
    () => `substring(${one}::text similar '%#"x#"%' escape '#')`,
    () => `substring(${one}, 1, 2)`,
    () => `substr(${one}::text, 2)`,
    () => `trim(${one})`,
    () => `trim(both 'x' from ${one}::text)`,
    () => `trim(leading from ${one})`,
    () => `trim(trailing '.,' from ${one})`,
    () => `btrim(${one}, ' ')`,
    () => `overlay(${one}::text placing 'x' from 2 for 3)`,
    () => `overlay(${one}::text placing ${other}::text from 2)`,
    () => `lower(${one}::text collate "C")`,
    () => `(${one}::text collate "C")`,
    () => `replace(${one}, 'a', 'b')`,
    () => `regexp_replace(${one}::text, '\\s+', ' ', 'g')`,
    () => `lpad(${some(scope, INTEGER)}::text, 5, '0')`,
    () => `left(${one}, -1)`,
    () => `split_part(${one}, ',', 1)`,
    () => `md5(${one}::text)`,
    () => `${some(scope, JSONB)} ->> 'a'`,
    () => `normalize(${one}::text, NFC)`,
    () => `${one}::varchar(3)`,
    () => `cast(${one} as char(2))`,
    () =>
      scope.immutable
        ? `${one}::text`
        : draw.one(["current_user", "session_user", "current_schema", "user", "current_role"]),
    () => (scope.immutable ? `${one}::text` : `to_char(${some(scope, TIMESTAMPTZ)}, 'YYYY-MM')`),
    () => (scope.immutable ? `repeat(${one}::text, 2)` : `concat(${one}, ' ', ${other})`),
    () => (scope.immutable ? `initcap(${one}::text)` : `format('%s-%s', variadic array[${one}::text, ${other}::text])`),
    () => `concat_ws(',', ${one}, 'x')`,
    () => `(array['a', ${one}::text, 'c'])[2]`,
    () => `('{a,b}'::text[])[1]`,
    () => `('x' || chr(65))`,
  ];
  const at = draw.below(forms.length);
  const made = forms[scope.immutable && at === 32 ? 0 : at]?.() ?? one;
  return as(scope, made, type);
}

export function numberValue(scope: Scope, type: SqlType, depth: number): string {
  const { draw } = scope;
  const one = some(scope, INTEGER);
  const other = value(scope, INTEGER, depth);
  const forms = [
    () => `${one} + 1`,
    () => `${one} * ${other}`,
    () => `${one} - (${other} - 1)`,
    () => `-${one}`,
    () => `- (-1)`,
    () => `abs(${one})`,
    () => `${one} % 2`,
    () => `mod(${one}::integer, 2)`,
    () => `${one} ^ 2`,
    () => `@ ${one}`,
    () => `|/ 4.0`,
    () => `(${one}::integer & 3) | 1`,
    () => `1 << 3`,
    () => `length(${some(scope, TEXT)})`,
    () => `char_length(${some(scope, TEXT)}::text)`,
    () => `position('a' in ${some(scope, TEXT)}::text)`,
    () => `strpos(${some(scope, TEXT)}::text, 'x')`,
    () => `extract(year from ${some(scope, TIMESTAMP)})`,
    () => `extract('epoch' from ${some(scope, INTERVAL)})`,
    () => `date_part('dow', ${some(scope, TIMESTAMP)})`,
    () => `extract(epoch from ${some(scope, TIMESTAMP)} - ${constantOf(draw, TIMESTAMP, true)})`,
    () => `round(${one}::numeric, 2)`,
    () => `${one}::numeric(6,2)`,
    () => `1.50 * ${one}`,
    () => `1e3 + ${one}`,
    () => `coalesce(${one}, 0) / nullif(${other}, 0)`,
    () => `cast(${one} as numeric(4))`,
    () => `(${some(scope, JSONB)} ->> 'n')::int`,
    () => `${some(scope, JSONB)}['n']::int`,
    () => `jsonb_array_length(${some(scope, JSONB)})`,
    () => `cardinality(array[1, ${one}])`,
    () => `(array[1, 2, 3])[1]`,
    () => `width_bucket(${one}::numeric, 0, 100, 10)`,
    () => `ascii(${some(scope, TEXT)}::text)`,
    () => `case when ${predicate(scope, depth)} then 1 else 0 end`,
    () => `(${predicate(scope, depth)})::int`,
    () => `2147483648`,
    () => `'-1'::integer`,
    () => `+ ${one}`,
  ];
  const made = forms[draw.below(forms.length)]?.() ?? one;
  return cast(scope, made, type);
}

export function timeValue(scope: Scope, type: SqlType, depth: number): string {
  const { draw, immutable } = scope;
  const one = value(scope, type, depth);
  const span = draw.one([
    "interval '1 day'",
    "'1 hour'::interval",
    "interval '2' hour",
    "interval '1-2' year to month",
    "interval(0) '1.5 s'",
    "interval '1 2:03:04' day to second",
  ]);
  const forms: Record<string, (() => string)[]> = {
    date: [
      () => `${one} + 1`,
      () => `(${one} + ${span})::date`,
      () => `date_trunc('month', ${some(scope, TIMESTAMP)})::date`,
      () => `make_date(2024, 1, 31)`,
      () => (immutable ? `date '2024-01-01' + 7` : draw.one(["current_date", "now()::date", "current_date - 30"])),
      () => `(${some(scope, TIMESTAMPTZ)} at time zone 'UTC')::date`,
    ],
    timestamp: [
      () => `${one} + ${span}`,
      () => `${some(scope, TIMESTAMPTZ)} at time zone 'Europe/Berlin'`,
      () => `date_trunc('day', ${one})`,
      () => `${one}::timestamp(0)`,
      () =>
        immutable
          ? one
          : draw.one([
              "localtimestamp",
              "localtimestamp(2)",
              "now()::timestamp",
              "current_timestamp at time zone 'utc'",
            ]),
      () => `timezone('UTC', ${some(scope, TIMESTAMPTZ)})`,
      () => `make_timestamp(2024, 1, 2, 3, 4, 5.5)`,
    ],
    timestamptz: [
      () => `${some(scope, TIMESTAMP)} at time zone 'UTC'`,
      () => `${some(scope, TIMESTAMP)} at time zone interval '-1:00'`,
      () => `${one}::timestamptz(3)`,
      () => (immutable ? one : `${one} - ${span}`),
      () =>
        immutable
          ? one
          : draw.one([
              "now()",
              "current_timestamp",
              "current_timestamp(3)",
              "transaction_timestamp()",
              "clock_timestamp()",
            ]),
      () => `date_trunc('hour', ${one}, 'UTC')`,
      () => `to_timestamp(0)`,
    ],
    time: [
      () => `${one} + ${span}`,
      () => `${some(scope, TIMESTAMP)}::time`,
      () => `cast(${one} as time(1))`,
      () => (immutable ? `make_time(1, 2, 3)` : draw.one(["localtime", "localtime(0)", "current_time::time"])),
    ],
    interval: [
      () => `${one} * 2`,
      () => `${span} + ${one}`,
      () => `- ${span}`,
      () => `${some(scope, TIMESTAMP)} - ${constantOf(draw, TIMESTAMP, true)}`,
      () => `make_interval(days => 1, hours => 2)`,
      () => `justify_days(${one})`,
      () => `age(${some(scope, TIMESTAMP)}, ${constantOf(draw, TIMESTAMP, true)})`,
      () => `${one}::interval day to second(2)`,
      () => `interval '90' minute(0)`.replace("minute(0)", "minute"),
    ],
  };
  const list = forms[type.family] ?? [];
  return cast(scope, draw.pick(list)?.() ?? one, type);
}
