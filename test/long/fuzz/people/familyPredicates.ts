import { arrayCondition, jsonCondition, rangeCondition, textCondition } from "./conditions.ts";
import { predicate } from "./predicates.ts";
import type { Column, Scope } from "./scope.ts";
import { constantOf } from "./types.ts";

/** A condition with the operators that only the type of this column has; undefined where there is none. */
export function familyPredicate(scope: Scope, { ref, type }: Column, depth: number): string | undefined {
  const { draw, immutable, major } = scope;
  const one = constantOf(draw, type);
  switch (type.family) {
    case "text":
      return textCondition(scope, ref);
    case "number":
      return draw.one([
        `${ref} % 2 = 0`,
        `${ref} * 1.5 > 3`,
        `${ref}::bigint in (1, 2)`,
        `${ref} > -1`,
        `${ref} + 1 between 0 and 10`,
        `${ref}::numeric(4,1) <> 0.5`,
        `-${ref} < 0`,
        `mod(${ref}::int, 2) = 1`,
        `${ref} in (1, 2.5)`,
        `${ref} = any ('{1,2}')`,
        `${ref} <> all ('{1}')`,
        `${ref} in ('1', '2')`,
      ]);
    case "boolean":
      return draw.one([
        ref,
        `not ${ref}`,
        `${ref} is true`,
        `${ref} is not unknown`,
        `${ref} = false`,
        `${ref} <> true`,
        `${ref} is distinct from true`,
        `(${ref} or ${predicate(scope, depth - 1)})`,
        `${ref} in (true)`,
        `${ref}::int = 1`,
      ]);
    case "date":
      return draw.one([
        `extract(year from ${ref}) > 2000`,
        `${ref} > date '2020-01-01' + 1`,
        `(${ref}, date '2020-01-01') overlaps (date '2021-01-01', interval '1 day')`,
        immutable ? `${ref} > '2020-01-01'` : `${ref} < current_date`,
        `date_part('month', ${ref}) in (1, 2)`,
        `isfinite(${ref})`,
        `${ref} < timestamp '2024-01-01'`,
        `${ref} - date '2000-01-01' > 1`,
      ]);
    case "timestamp":
      return draw.one([
        `extract(dow from ${ref}) in (0, 6)`,
        `${ref} > timestamp '2020-01-01' + interval '1 day'`,
        `(${ref}, interval '1 day') overlaps (timestamp '2021-01-01', timestamp '2022-01-01')`,
        `date_trunc('day', ${ref}) = ${ref}`,
        `${ref}::date = '2024-01-01'`,
        `${ref}::time between '08:00' and '17:00'`,
        `${ref} at time zone 'UTC' > '2020-01-01 00:00Z'`,
        `extract(isodow from ${ref}) < 6`,
      ]);
    case "timestamptz":
      return immutable
        ? draw.one([
            `${ref} > '2020-01-01 00:00Z'`,
            `extract(hour from ${ref} at time zone 'UTC') < 12`,
            `(${ref} at time zone 'UTC')::date > '2020-01-01'`,
          ])
        : draw.one([
            `${ref} < now()`,
            `${ref} > now() - interval '1 day'`,
            `${ref} <= current_timestamp + '1 day'`,
            `${ref}::date = current_date`,
            `extract(epoch from now() - ${ref}) > 60`,
            `${ref} between now() - interval '1' month and now()`,
            `${ref} at local is not null`.replace("at local", major < 17 ? "at time zone 'UTC'" : "at local"),
            `${ref} < statement_timestamp()`,
            `age(${ref}) > interval '1 year'`,
          ]);
    case "time":
      return draw.one([
        `${ref} between '08:00' and '17:00'`,
        `extract(hour from ${ref}) < 12`,
        `${ref} > time '08:00'`,
        `${ref} + interval '1 hour' > '12:00'`,
      ]);
    case "interval":
      return draw.one([
        `${ref} > interval '1 day'`,
        `extract(epoch from ${ref}) > 0`,
        `${ref} * 2 < '1 year'`,
        `${ref} = interval '1' day`,
        `${ref} < interval '1 2' day to hour`,
        `${ref} <> interval '1.5' second(1)`,
      ]);
    case "money":
      return draw.one([
        `${ref} > 0::money`,
        `${ref}::numeric > 1.5`.replace("::numeric", immutable ? " * 1" : "::numeric").replace("* 1 > 1.5", "> '1.5'"),
        `${ref} / 2 < '3'`,
      ]);
    case "bits":
      return draw.one([
        `${ref} = B'1'`,
        `${ref} & ${ref} <> B'0'`,
        `length(${ref}) > 0`,
        `${ref} << 1 = ${one}`,
        `${ref} in (B'1', b'0')`,
        `get_bit(${ref}, 0) = 1`,
        `position(B'1' in ${ref}) = 1`,
        `substring(${ref} from 1 for 1) = B'1'`,
      ]);
    case "inet":
      return draw.one([
        `${ref} << '10.0.0.0/8'`,
        `${ref} <<= inet '10.0.0.0/8'`,
        `family(${ref}) = 4`,
        `masklen(${ref}) in (8, 24)`,
        `${ref} && '::/0'`,
        `host(${ref}) like '10.%'`,
        `${ref}::inet - 1 > '10.0.0.0'`,
      ]);
    case "mac":
      return draw.one([`trunc(${ref}) = ${one}`, `${ref}::text like '08:%'`]);
    case "range":
    case "multirange":
      return rangeCondition(scope, { ref, type });
    case "array":
      return arrayCondition(scope, { ref, type });
    case "enum":
      return draw.one([
        `${ref} in (${one}, ${constantOf(draw, type)})`,
        `${ref}::text in ('a', 'b')`,
        `${ref} > ${one}`,
        `${ref} = any ('{}')`,
        `${ref} = any (enum_range(${constantOf(draw, type, true)}, null))`,
      ]);
    case "composite": {
      const field = draw.pick(type.fields ?? []);
      const fields = (type.fields ?? []).map((each) => constantOf(draw, each.type));
      if (field === undefined) return undefined;
      const part = field.type.ordered
        ? `(${ref}).${field.name} = ${constantOf(draw, field.type)}`
        : `(${ref}).${field.name} is null`;
      return draw.one([
        part,
        part,
        `${ref} is null`,
        `${ref} is not null`,
        `${ref} is distinct from null`,
        type.ordered ? `${ref} = row(${fields.join(", ")})::${type.sql}` : part,
      ]);
    }
    case "jsonb":
      return jsonCondition(scope, ref);
    case "json":
      return draw.one([
        `${ref} ->> 'a' = 'x'`,
        `json_typeof(${ref}) in ('object', 'array')`,
        `(${ref} -> 'a') is not null`,
        `${ref} #>> '{a,b}' <> ''`,
        `${ref}::jsonb @> '{}'`,
        major < 16 ? `${ref} is null` : `${ref} is json object with unique keys`,
      ]);
    case "xml":
      return draw.one([
        `${ref} is document`,
        `${ref} is not document`,
        `xmlexists('//a' passing by ref ${ref})`,
        `xmlexists('//a' passing ${ref})`,
        `(xpath('/a/text()', ${ref}))[1]::text = 'x'`,
        `xml_is_well_formed('<a/>')`,
      ]);
    case "tsvector":
      return draw.one([
        `${ref} @@ to_tsquery('english', 'a & b')`,
        `${ref} @@ 'a'`,
        `${ref} @@ plainto_tsquery('simple', 'a')`,
        `to_tsquery('simple', 'a') @@ ${ref}`,
        `${ref} @@ 'a & !b'::tsquery`,
        `length(${ref}) > 0`,
      ]);
    case "uuid":
      return draw.one([`${ref}::text like 'a%'`, `${ref} <> '00000000-0000-0000-0000-000000000000'`]);
    case "bytea":
      return draw.one([
        `length(${ref}) > 1`,
        `octet_length(${ref}) < 10`,
        `${ref} like '\\x00%'`,
        `position('\\x00'::bytea in ${ref}) = 0`,
        `substring(${ref} from 1 for 1) = '\\x01'`,
      ]);
    default:
      return immutable
        ? `${ref} > 0`
        : draw.one([`${ref}::oid > 0`, `${ref} = 'pg_class'::regclass`.replace("pg_class'", "pg_catalog.pg_class'")]);
  }
}
