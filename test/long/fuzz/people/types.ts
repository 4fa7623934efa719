import type { Draw } from "../draw.ts";

/** Types whose values the same operators and functions take. */
export type Family =
  | "text"
  | "number"
  | "boolean"
  | "date"
  | "timestamp"
  | "timestamptz"
  | "time"
  | "interval"
  | "money"
  | "bits"
  | "inet"
  | "mac"
  | "range"
  | "multirange"
  | "array"
  | "enum"
  | "composite"
  | "jsonb"
  | "json"
  | "xml"
  | "tsvector"
  | "uuid"
  | "bytea"
  | "oid";

/** A type as people write it. */
export interface SqlType {
  sql: string;
  family: Family;
  /** Constants without a type, in quotes. */
  constants: readonly [string, ...string[]];
  /** Has the operators of a btree: can be compared, sorted and indexed. */
  ordered: boolean;
  /** Of an array, a range or a multirange. */
  element?: SqlType;
  /** Of a composite. */
  fields?: readonly Field[];
  /** `type 'constant'` may be written. */
  prefix: boolean;
}

export interface Field {
  /** Quoted where it must be. */
  name: string;
  type: SqlType;
  /** Computed by the server, when a row is written or read. */
  isGenerated?: boolean;
}

type Constants = readonly [string, ...string[]];

export function typeOf(sql: string, family: Family, constants: Constants, more: Partial<SqlType> = {}): SqlType {
  return { sql, family, constants, ordered: true, prefix: true, ...more };
}

const WORDS: Constants = ["'a'", "'b'", "'open'", "''", "'it''s'", "'x y'"];
const SHORT: Constants = ["'a'", "'b'", "'ab'", "''"];
const NUMBERS: Constants = ["'1'", "'0'", "'-1'", "'42'"];

export const TEXT: SqlType = typeOf("text", "text", WORDS);
export const INTEGER: SqlType = typeOf("integer", "number", NUMBERS);
export const NUMERIC: SqlType = typeOf("numeric", "number", NUMBERS);
export const BOOLEAN: SqlType = typeOf("boolean", "boolean", ["'t'", "'false'"]);
export const DATE: SqlType = typeOf("date", "date", ["'2024-01-31'", "'2000-01-01'", "'infinity'"]);
const STAMPS: Constants = ["'2024-01-31 12:00'", "'2000-01-01'", "'2024-02-29 23:59:59.999999'"];
export const TIMESTAMP: SqlType = typeOf("timestamp", "timestamp", STAMPS);
export const TIMESTAMPTZ: SqlType = typeOf("timestamptz", "timestamptz", [
  "'2024-01-31 12:00+02'",
  "'2000-01-01 00:00Z'",
]);
const SPANS: Constants = ["'1 day'", "'2 hours 30 min'", "'1 mon -1 day'", "'P1Y'"];
export const INTERVAL: SqlType = typeOf("interval", "interval", SPANS);
export const JSONB: SqlType = typeOf("jsonb", "jsonb", ["'{}'", `'{"a": [1, "x"]}'`, "'null'", "'1'"]);
const JSON_TYPE: SqlType = typeOf("json", "json", ["'{}'", `'{"a": 1}'`, "'[]'"], { ordered: false });
const INET: SqlType = typeOf("inet", "inet", ["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"]);
export const BIGINT: SqlType = typeOf("bigint", "number", NUMBERS);
const VARCHAR: SqlType = typeOf("varchar(20)", "text", WORDS);

export function arrayOf(element: SqlType, sql: string = `${element.sql}[]`): SqlType {
  const inner = element.constants[0].slice(1, -1);
  const bare = /^[\w. :+-]+$/.test(inner) ? `"${inner}"` : "NULL";
  return typeOf(sql, "array", ["'{}'", `'{${bare}}'`, `'{${bare},NULL}'`], {
    element,
    prefix: false,
    ordered: element.ordered,
  });
}

const rangeOf = (sql: string, element: SqlType, constants: Constants): SqlType =>
  typeOf(sql, "range", constants, { element });

const INT4RANGE = rangeOf("int4range", INTEGER, ["'[1,5)'", "'empty'", "'(,3]'"]);
const TSTZRANGE = rangeOf("tstzrange", TIMESTAMPTZ, ["'[2024-01-01 00:00Z,2024-02-01 00:00Z)'", "'(,)'"]);

/** Types that need nothing but the server. */
export const SERVER_TYPES: readonly [SqlType, ...SqlType[]] = [
  TEXT,
  VARCHAR,
  VARCHAR,
  typeOf("varchar", "text", WORDS),
  typeOf("character varying(5)", "text", SHORT),
  typeOf("char(3)", "text", SHORT),
  typeOf("character(8)", "text", SHORT),
  typeOf("char", "text", ["'a'", "'b'"]),
  typeOf('"char"', "text", ["'a'", "'b'"]),
  typeOf("name", "text", SHORT),
  INTEGER,
  typeOf("int2", "number", NUMBERS),
  BIGINT,
  NUMERIC,
  typeOf("numeric(10,2)", "number", ["'1.5'", "'0'", "'-1.25'"]),
  typeOf("decimal(5)", "number", NUMBERS),
  typeOf("real", "number", ["'1.5'", "'0'", "'NaN'"]),
  typeOf("double precision", "number", ["'1.5'", "'0'", "'-Infinity'"]),
  typeOf("float(10)", "number", ["'1.5'", "'0'"]),
  BOOLEAN,
  DATE,
  TIMESTAMP,
  typeOf("timestamp(3)", "timestamp", STAMPS),
  typeOf("timestamp (0) without time zone", "timestamp", STAMPS),
  TIMESTAMPTZ,
  typeOf("timestamp(6) with time zone", "timestamptz", ["'2024-01-31 12:00+02'", "'2000-01-01 00:00Z'"]),
  typeOf("time", "time", ["'12:00'", "'23:59:59.5'"]),
  typeOf("time(3)", "time", ["'12:00'", "'23:59:59.5'"]),
  INTERVAL,
  typeOf("interval day to second(3)", "interval", ["'1 02:03:04.5678'", "'1 day'"], { prefix: false }),
  typeOf("interval year to month", "interval", ["'1-2'", "'1 year'"], { prefix: false }),
  typeOf("interval(2)", "interval", ["'1.2345 s'", "'1 day'"], { prefix: false }),
  typeOf("money", "money", ["'1.50'", "'-3'"]),
  typeOf("bit(4)", "bits", ["'1010'", "'0000'"]),
  typeOf("bit", "bits", ["'1'", "'0'"]),
  typeOf("varbit", "bits", ["'101'", "''"]),
  typeOf("bit varying(8)", "bits", ["'101'", "'1'"]),
  INET,
  typeOf("cidr", "inet", ["'10.0.0.0/8'", "'192.168.1.0/24'"]),
  typeOf("macaddr", "mac", ["'08:00:2b:01:02:03'"]),
  typeOf("macaddr8", "mac", ["'08:00:2b:01:02:03:04:05'"]),
  INT4RANGE,
  rangeOf("numrange", NUMERIC, ["'[1.5,2)'", "'empty'"]),
  rangeOf("daterange", DATE, ["'[2024-01-01,2024-12-31]'", "'empty'"]),
  rangeOf("tsrange", TIMESTAMP, ["'[2024-01-01,2024-12-31]'", "'empty'"]),
  TSTZRANGE,
  typeOf("int4multirange", "multirange", ["'{[1,5),[7,9)}'", "'{}'"], { element: INT4RANGE }),
  typeOf("tstzmultirange", "multirange", ["'{}'", "'{[2024-01-01 00:00Z,)}'"], { element: TSTZRANGE }),
  arrayOf(TEXT),
  arrayOf(VARCHAR),
  arrayOf(VARCHAR, "varchar(20) array"),
  arrayOf(typeOf("char(3)", "text", SHORT)),
  arrayOf(INTEGER),
  arrayOf(INTEGER, "integer array[3]"),
  arrayOf(INTEGER, "int[][]"),
  arrayOf(typeOf("numeric(10,2)", "number", ["'1.5'", "'0'"])),
  arrayOf(typeOf("timestamp(3)", "timestamp", STAMPS)),
  arrayOf(JSONB),
  arrayOf(INET),
  JSONB,
  JSONB,
  JSON_TYPE,
  typeOf("tsvector", "tsvector", ["'a:1 b'", "''"]),
  typeOf("uuid", "uuid", ["'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]),
  typeOf("bytea", "bytea", ["'\\xff'", "'abc'", "''"]),
  typeOf("oid", "oid", ["'1'", "'0'"]),
  typeOf("regclass", "oid", ["'pg_catalog.pg_class'", "'pg_catalog.pg_type'"]),
  typeOf("regtype", "oid", ["'integer'", "'text'"]),
  typeOf("xml", "xml", ["'<a/>'", "'<a b=\"c\">d</a>'"], { ordered: false }),
];

/** A constant of a type in one of the ways in which people say its type, or without. */
export function constantOf(draw: Draw, type: SqlType, mustTell = false): string {
  const bare = draw.pick(type.constants) ?? type.constants[0];
  const way = draw.below(9);
  if (!mustTell && way < 4) return plainly(draw, type, bare);
  if (way < 5 && type.prefix) return `${type.sql} ${bare}`;
  if (way < 6) return `cast(${bare} as ${type.sql})`;
  return `${bare}::${type.sql}`;
}

/** As without a type, but for numbers and truth values, which have forms of their own. */
function plainly(draw: Draw, type: SqlType, bare: string): string {
  const inner = bare.slice(1, -1);
  if (type.family === "number" && /^-?[\d.]+$/.test(inner) && draw.chance(80)) return inner;
  if (type.family === "boolean" && draw.chance(80)) return draw.one(["true", "false"]);
  if (type.family === "bits" && /^[01]+$/.test(inner) && draw.chance(60)) return draw.one([`B${bare}`, `b${bare}`]);
  if (type.family === "text" && draw.chance(10))
    return draw.one([`E${bare}`, `$$${inner.replace("''", "'")}$$`, `U&${bare}`]);
  return bare;
}
