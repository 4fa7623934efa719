import { expect, test } from "vitest";
import { checkedValues } from "../../../tools/types/checkedValues.ts";

test.each([
  ["CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))", "status", ["a", "b"]],
  [
    "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b, c'::character varying])::text[])))",
    "status",
    ["a", "b, c"],
  ],
  [
    "CHECK (((status)::text = ANY (ARRAY[('a'::character varying)::text, ('it''s'::character varying)::text])))",
    "status",
    ["a", "it's"],
  ],
  ["CHECK ((\"Status\" = ANY (ARRAY['a'::text])))", '"Status"', ["a"]],
  ["CHECK ((VALUE = ANY (ARRAY['x'::text, 'y'::text])))", "VALUE", ["x", "y"]],
  ["CHECK ((status = ANY (ARRAY['a'::text]))) NOT VALID", "status", ["a"]],
])("%s lists its values", (definition, column, values) => {
  expect(checkedValues(definition, column)).toEqual(values);
});

test.each([
  ["CHECK ((length(status) > 0))", "status"],
  ["CHECK ((status <> ALL (ARRAY['a'::text])))", "status"],
  ["CHECK (((status = ANY (ARRAY['a'::text])) OR (other > 1)))", "status"],
  ["CHECK ((status = ANY (ARRAY['a'::text, upper('b'::text)])))", "status"],
  ["CHECK ((port = ANY (ARRAY[1, 2])))", "port"],
  ["CHECK ((other = ANY (ARRAY['a'::text])))", "status"],
])("%s lists none", (definition, column) => {
  expect(checkedValues(definition, column)).toBeUndefined();
});
