import { expect, test } from "vitest";
import { withoutPsql } from "../../../provider/shadow/psqlCommands.ts";

const taken = (sql: string): string => withoutPsql({ path: "a.sql", sql }).sql;

test("what pg_dump writes around its SQL is left out, and all else keeps its place", () => {
  const dump =
    "--\n\\restrict 0k2LzT9cX\r\nSET transaction_timeout = 0;\ncreate table t (id int);\n\\unrestrict 0k2LzT9cX";
  const sql = taken(dump);
  expect(sql.trim()).toBe("--\n                   \r\n                            \ncreate table t (id int);".trim());
  expect(sql.indexOf("create")).toBe(dump.indexOf("create"));
});

test.each([
  ["select 1;\n  \\i other.sql", "2:3", "\\i", "the layer's `files`"],
  ["\\c other", "1:1", "\\c", "The stack's URL"],
  ["\\connect other", "1:1", "\\connect", "The stack's URL"],
  ["select 1 \\gexec", "1:10", "\\gexec", "statements that the query makes"],
  ["\\copy t from 'x'", "1:1", "\\copy", "declare the rows"],
  ["\\set name value", "1:1", "\\set", "where it is used"],
  ["\\! ls", "1:1", "\\!", "Take it out"],
  ["\\restricted", "1:1", "\\restricted", "Take it out"],
])("the psql command in %j is refused at its place, with what to write instead", (sql, place, command, advice) => {
  const message = new RegExp(`^a\\.sql:${place}: found ${command.replace("\\", "\\\\")}, [\\s\\S]*`);
  expect(() => taken(sql)).toThrow(message);
  expect(() => taken(sql)).toThrow(advice);
});

test.each([
  "create table t (id int);\n/* ; copy */ COPY public.t (id) FROM stdin;\n1\tit's \\N\n\\.\n\\i x\n",
  "create table t (id int); copy t to '/tmp/x';",
  "\\restrict abc\nCOPY t FROM stdin;\n\\.",
])("COPY is refused before its rows are read: %j", (sql) => {
  expect(() => taken(sql)).toThrow(/^a\.sql:[12]:\d+: found COPY, .*INSERT and setval.*`Row`/);
});

test.each([
  "create function copy() returns text language sql as $$ select '\\x' || E'\\'' $$; create table copy (copy text);",
  "-- copy \\i\nselect '\\.', \"a\\b\" from copy",
  "select current_setting('transaction_timeout')",
])("what only looks like it is left alone: %s", (sql) => {
  expect(taken(sql)).toBe(sql);
});
