/** A type of the server that columns are made of, and what a test needs to know of it. */
export interface PlainType {
  sql: string;
  /** Types of one family convert into one another, and the values of rows do so without a loss. */
  family: "number" | "text" | "time" | "json" | "other";
  /** An expression for the value of row `n`, from 1: different in each row, equal in all tables. */
  value: (n: number) => string;
  constant: string;
  /** A default that differs from row to row. */
  volatile: string;
  /** Values can be compared, so that keys and btree indexes can be made of them. */
  ordered: boolean;
}

const number = (sql: string): PlainType => ({
  sql,
  family: "number",
  value: (n) => String(n),
  constant: "7",
  volatile: "floor(random() * 100)",
  ordered: true,
});

const text = (sql: string): PlainType => ({
  sql,
  family: "text",
  value: (n) => `'${n}'`,
  constant: "'it''s; \"here\" \\ $$ -- no'",
  volatile: "left(md5(random()::text), 8)",
  ordered: true,
});

const time = (sql: string): PlainType => ({
  sql,
  family: "time",
  value: (n) => `'2024-01-0${n} 00:00:00'`,
  constant: "'2001-02-03'",
  volatile: "clock_timestamp()",
  ordered: true,
});

const json = (sql: string, ordered: boolean): PlainType => ({
  sql,
  family: "json",
  value: (n) => `'{"n": ${n}}'`,
  constant: `'{"a": "it''s"}'`,
  volatile: `(('{"n": ' || floor(random() * 100)::text) || '}')::json`,
  ordered,
});

const other = (sql: string, value: PlainType["value"], constant: string, volatile: string): PlainType => ({
  sql,
  family: "other",
  value,
  constant,
  volatile,
  ordered: true,
});

export const PLAIN_TYPES: readonly [PlainType, ...PlainType[]] = [
  number("integer"),
  text("text"),
  number("bigint"),
  text("character varying(100)"),
  text("character varying(200)"),
  number("smallint"),
  number("numeric"),
  number("numeric(12,2)"),
  number("numeric(14,4)"),
  number("real"),
  number("double precision"),
  time("timestamp with time zone"),
  time("timestamp without time zone"),
  time("timestamp(3) with time zone"),
  time("date"),
  json("jsonb", true),
  json("json", false),
  other("boolean", (n) => String(n % 2 === 0), "true", "random() > 0.5"),
  other("uuid", (n) => `md5('${n}')::uuid`, "'00000000-0000-0000-0000-000000000000'", "gen_random_uuid()"),
  other("text[]", (n) => `array['${n}', 'x']`, "'{}'", "array[random()::text]"),
  other("integer[]", (n) => `array[${n}]`, "array[1, 2]", "array[floor(random() * 100)::integer]"),
  other("bytea", (n) => `'\\x0${n}'`, "'\\xff'", "uuid_send(gen_random_uuid())"),
  other("interval", (n) => `'${n} days'`, "'1 hour'", "random() * interval '1 day'"),
  other("time without time zone", (n) => `'0${n}:00'`, "'12:00'", "clock_timestamp()::time"),
  other("inet", (n) => `'10.0.0.${n}'`, "'127.0.0.1'", "'10.0.0.0'::inet + floor(random() * 100)::integer"),
  other("int4range", (n) => `'[${n}0,${n}5)'`, "'empty'", "int4range(0, 1 + floor(random() * 100)::integer)"),
  other("character(12)", (n) => `'${n}'`, "'x'", "left(md5(random()::text), 8)"),
  other(
    "bit varying(16)",
    (n) => `B'10${n % 2}${n > 1 ? 1 : 0}'`,
    "B'101'",
    "(floor(random() * 100)::integer)::bit(8)",
  ),
  other("name", (n) => `'${n}'`, "'x'", "left(md5(random()::text), 8)"),
];
