import { expect, it } from "vitest";
import { typeChange } from "../../../provider/plan/typeChange.ts";
import { isVolatileDefault } from "../../../provider/plan/volatileDefault.ts";

it.each([
  ["character varying(10)", "character varying(40)", "free"],
  ["character varying(10)", "text", "free"],
  ["character varying", "text", "free"],
  ["numeric(10,2)", "numeric(12,2)", "free"],
  ["numeric(10,2)", "numeric", "free"],
  ["timestamp(3) with time zone", "timestamp(6) with time zone", "free"],
  ["integer", "bigint", "rewrite"],
  ["smallint", "numeric", "rewrite"],
  ["real", "double precision", "rewrite"],
  ["numeric(10,2)", "numeric(12,4)", "rewrite"],
  ["character(5)", "character(9)", "rewrite"],
  ["text", "character varying(10)", "narrowing"],
  ["character varying(40)", "character varying(10)", "narrowing"],
  ["bigint", "integer", "narrowing"],
  ["numeric(10,2)", "numeric(10,4)", "narrowing"],
  ["numeric", "numeric(10,2)", "narrowing"],
  ["text", "integer", "narrowing"],
  ["numeric(10,2)[]", "numeric(10,1)[]", "narrowing"],
  ["numeric(10,2)[]", "numeric(12,2)[]", "rewrite"],
  ["time(3) without time zone[]", "time(6) without time zone[]", "rewrite"],
  ["time(3) without time zone[]", "time(0) without time zone[]", "narrowing"],
  ["bigint", "numeric(3,0)", "narrowing"],
  ["integer", "numeric(12,2)", "rewrite"],
  ["integer", "numeric(11,2)", "narrowing"],
  ["integer", "double precision", "rewrite"],
  ["integer", "real", "narrowing"],
  ["bigint", "double precision", "narrowing"],
  ["uuid", "text", "rewrite"],
  ["integer", "character varying", "rewrite"],
  ["integer", "character varying(5)", "narrowing"],
  ["date", "text", "narrowing"],
])("takes %s → %s as %s", (from, to, expected) => {
  expect(typeChange(from, to)).toBe(expected);
});

it.each([
  ["'none'::text"],
  ["0"],
  ["-1.5"],
  ["true"],
  ["'it''s'::character varying"],
  ["now()"],
  ["CURRENT_TIMESTAMP"],
  ["'{}'::jsonb"],
])("knows that %s is the same in each row", (expression) => expect(isVolatileDefault(expression)).toBe(false));

it.each([
  ["gen_random_uuid()"],
  ["random()"],
  ["clock_timestamp()"],
  ["nextval('s'::regclass)"],
  ["app.f('x'::text)"],
  ["'a' || random()"],
])("takes %s as possibly another in each row", (expression) => expect(isVolatileDefault(expression)).toBe(true));
