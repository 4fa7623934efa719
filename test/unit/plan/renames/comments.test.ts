import { describe, expect, test } from "vitest";
import { renameComments } from "../../../../provider/plan/renames/comments.ts";
import { nameParts, sqlTokens } from "../../../../provider/plan/renames/sqlTokens.ts";

/** `new ← old @ line` of each comment found. */
function found(sql: string): string[] {
  const { renames, faults } = renameComments("f.sql", sql);
  return [
    ...renames.map(({ table, column, from, place }) => {
      const names = [table.schema, table.name, column].filter((part) => part !== undefined).join(".");
      return `${names} ← ${[from.schema, from.name].filter((part) => part !== undefined).join(".")} @ ${place}`;
    }),
    ...faults.map((fault) => `fault ${fault.split(",")[0]}`),
  ];
}

describe("a comment about a rename", () => {
  test.each([
    ["above a table", "-- renamed from: old\ncreate table s.t (id int);", ["s.t ← old @ f.sql:1"]],
    [
      "above a table, with other comments",
      "/* one */\n-- renamed from: old\n-- two\nCREATE  TABLE s.t (id int);",
      ["s.t ← old @ f.sql:2"],
    ],
    ["behind the line of a table", "create table s.t ( -- renamed from: old\n id int);", ["s.t ← old @ f.sql:1"]],
    [
      "behind a table on one line",
      "create table if not exists s.t (id int, c int); -- Renamed  from : old",
      ["s.t ← old @ f.sql:1"],
    ],
    [
      "in front of the parenthesis",
      "create unlogged table t -- renamed from: s.old\n(id int);",
      ["t ← s.old @ f.sql:1"],
    ],
    ["above a column", "create table t (\n id int,\n -- renamed from: old\n c int\n);", ["t.c ← old @ f.sql:3"]],
    [
      "behind a column and its comma",
      "create table t (\n id int, -- renamed from: old\n c int\n);",
      ["t.id ← old @ f.sql:2"],
    ],
    [
      "behind a column over two lines",
      "create table t (\n c numeric(4,\n 2) check (c in (1, 2)) -- renamed from: old\n, d int);",
      ["t.c ← old @ f.sql:3"],
    ],
    ["behind the last column", "create table t (id int,\n c int -- renamed from: old\n);", ["t.c ← old @ f.sql:2"]],
    [
      "with quoted names",
      'create table "S ""x".T (\n "a;b" int -- renamed from: "-- c"\n);',
      ['S "x.t.a;b ← -- c @ f.sql:2'],
    ],
    ["with a bare name in capitals", "create table T (id int); -- renamed from: OLD", ["t ← old @ f.sql:1"]],
    ["in a block", "create table t (\n id int /* renamed from: old */\n);", ["t.id ← old @ f.sql:2"]],
    [
      "at an added column",
      "alter table only s.t add column if not exists c int; -- renamed from: old",
      ["s.t.c ← old @ f.sql:1"],
    ],
    ["above an added column", "-- renamed from: old\nalter table s.t add c int, add d int;", ["s.t.c ← old @ f.sql:1"]],
    [
      "with Windows line ends",
      "create table t (\r\n id int, -- renamed from: old\r\n c int\r\n);",
      ["t.id ← old @ f.sql:2"],
    ],
    ["in the second statement", "select 1; create table t (id int); -- renamed from: old", ["t ← old @ f.sql:1"]],
  ])("is found %s", (_where, sql, expected) => {
    expect(found(sql)).toEqual(expected);
  });

  test.each([
    ["a string", "create table t (id text default '-- renamed from: x');"],
    ["a string with a quote in it", "select 'it''s -- renamed from: x';"],
    ["an escaped string", "select E'\\' -- renamed from: x';"],
    [
      "a body between dollars",
      "create function f() returns int language sql as $a$ select 1 -- renamed from: x\n $a$;",
    ],
    ["a body with dollars in it", "do $$ begin\n -- renamed from: $1\n end $$;"],
    ["a quoted name", 'create table "-- renamed from: x" (id int);'],
    ["another comment", "-- The table was renamed from: x long ago\ncreate table t (id int);"],
    ["a comment on what is renamed elsewhere", "-- renames are declared in the program\ncreate table t (id int);"],
  ])("is not found in %s", (_where, sql) => {
    expect(found(sql)).toEqual([]);
  });

  test.each([
    ["renamed from x", "create table t (id int); -- renamed from x"],
    ["rename from: x", "create table t (id int); -- rename from: x"],
    ["renamed form: x", "create table t (id int); -- renamed form: x"],
    ["renamed: x", "create table t (id int); -- renamed: x"],
    ["renamed from:", "create table t (id int); -- renamed from:"],
    ["renamed from: a b", "create table t (id int); -- renamed from: a b"],
    ["renamed from: a.b.c", "create table t (id int); -- renamed from: a.b.c"],
    ["renamed from: 1a", "create table t (id int); -- renamed from: 1a"],
    ["renamed from: x", "create view v as select 1; -- renamed from: x"],
    ["renamed from: x", "create table t (id int,\n constraint c check (id > 0) -- renamed from: x\n);"],
    ["renamed from: x", "create table t (\n id int\n); -- renamed from: x"],
    ["renamed from: x", "create table t (id int);\n\n-- renamed from: x"],
  ])("is refused as %s where it means nothing", (text, sql) => {
    expect(found(sql)).toEqual([expect.stringContaining(`found the comment "${text}"`)]);
  });
});

test("SQL that is not closed, and comments within comments, reach to where the server says", () => {
  expect(sqlTokens("/* a /* b */ c */ x").map(({ text }) => text)).toEqual(["a /* b */ c", "x"]);
  for (const sql of ["'open", '"open', "$x$ open", "/* open /* */"]) expect(sqlTokens(`a ${sql}`)).toHaveLength(2);
});

test("dotted names are read as the server reads them", () => {
  expect(nameParts('Platform."Line items".c')).toEqual(["platform", "Line items", "c"]);
  for (const text of ["", ".", "a.", ".a", "a b", "a..b", "a-b", "'a'", "1"]) expect(nameParts(text)).toBeUndefined();
});
