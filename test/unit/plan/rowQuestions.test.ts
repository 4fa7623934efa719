import { expect, test } from "vitest";
import type { Fact, StableId } from "../../../provider/catalog/pgDelta.ts";
import { FunctionCalls } from "../../../provider/plan/calledFunctions.ts";
import {
  boundCondition,
  exclusionOf,
  keyOf,
  partOf,
  referenceOf,
} from "../../../provider/plan/rowChecks/definitions.ts";
import { rowQuestions } from "../../../provider/plan/rowChecks/questions.ts";
import type { QuestionContext } from "../../../provider/plan/rowChecks/source.ts";
import type { Statement } from "../../../provider/plan/statement.ts";
import { base, column, constraint, schema, table } from "../../support/handMadeFacts.ts";

test("a key is read from a constraint and from an index, with its predicate and what is equal in it", () => {
  expect(keyOf('UNIQUE NULLS NOT DISTINCT (a, "b,c") INCLUDE (d) DEFERRABLE')).toMatchObject({
    parts: [
      { expression: "a", column: "a" },
      { expression: '"b,c"', column: "b,c" },
    ],
    nullsEqual: true,
    predicate: undefined,
  });
  const index = `CREATE UNIQUE INDEX " USING (" ON app.t USING btree (lower(w) text_pattern_ops DESC, ((a + b)) NULLS FIRST, v COLLATE "C") WHERE (w <> ') WHERE ('::text)`;
  expect(keyOf(index)).toEqual({
    parts: [
      { expression: "lower(w)", column: undefined, operatorClass: "text_pattern_ops" },
      { expression: "((a + b))", column: undefined, operatorClass: undefined },
      { expression: 'v COLLATE "C"', column: undefined, operatorClass: undefined },
    ],
    nullsEqual: false,
    predicate: "w <> ') WHERE ('::text",
    isTemporal: false,
  });
  expect(keyOf("PRIMARY KEY (id, r WITHOUT OVERLAPS)")).toMatchObject({
    isTemporal: true,
    parts: [{}, { column: "r" }],
  });
  expect(partOf("x app.my_ops (siglen='100')").operatorClass).toBe("app.my_ops (siglen='100')");
});

test("an exclusion constraint and a foreign key are read with their operators and columns", () => {
  expect(exclusionOf("EXCLUDE USING gist (room WITH =, r WITH OPERATOR(app.&&)) WHERE ((id > 3))")).toMatchObject({
    parts: [
      { column: "room", operator: "=" },
      { column: "r", operator: "OPERATOR(app.&&)" },
    ],
    predicate: "(id > 3)",
  });
  const own = 'FOREIGN KEY (v, "W") REFERENCES app."P"(id, b) MATCH FULL';
  expect(referenceOf(`${own} ON DELETE SET NULL (v)`)).toEqual({
    columns: ["v", "W"],
    table: { schema: "app", name: "P" },
    referred: ["id", "b"],
    isFull: true,
    isTemporal: false,
    core: own,
  });
  expect(referenceOf("FOREIGN KEY (p, PERIOD r) REFERENCES app.p(id, PERIOD r)")?.isTemporal).toBe(true);
});

test("a partition's bound becomes a condition on a row of the default partition", () => {
  expect(boundCondition("FOR VALUES IN ('a', NULL)", ["k"], "''")).toBe("(k) IN ('a') OR (k) IS NULL");
  expect(boundCondition("FOR VALUES FROM (1, MINVALUE) TO (5, MAXVALUE)", ["a", "b"], "''")).toBe(
    "(a) IS NOT NULL AND (b) IS NOT NULL AND ROW((a)) >= ROW(1) AND ROW((a)) <= ROW(5)",
  );
  expect(boundCondition("FOR VALUES FROM (1, MAXVALUE) TO (5, MINVALUE)", ["a", "b"], "''")).toBe(
    "(a) IS NOT NULL AND (b) IS NOT NULL AND ROW((a)) > ROW(1) AND ROW((a)) < ROW(5)",
  );
  expect(boundCondition("FOR VALUES FROM (MINVALUE) TO (MAXVALUE)", ["a"], "''")).toBe("(a) IS NOT NULL");
  expect(boundCondition("FOR VALUES WITH (modulus 4, remainder 1)", ["a"], "'t'")).toBe(
    "pg_catalog.satisfies_hash_partition('t'::pg_catalog.regclass, 4, 1, (a))",
  );
  expect(boundCondition("DEFAULT", ["a"], "''")).toBeUndefined();
});

const facts = (...more: Fact[]): Fact[] => [
  schema("app"),
  table("app", "t"),
  column("app", "t", "id", { type: "integer", notNull: true }),
  constraint("app", "t", "t_pkey", { type: "p", def: "PRIMARY KEY (id)", validated: true }),
  ...more,
];

const planned = (sql: string, id: StableId, op: Statement["op"] = "update"): Statement => ({
  sql,
  op,
  object: "",
  id,
  subject: "",
  lock: "none",
  transaction: "shared",
  work: "rows",
  drops: [],
  rewrites: false,
  destructive: false,
  consumes: [],
});

const V: StableId = { kind: "column", schema: "app", table: "t", name: "v" };

function questionsFor(
  from: Fact[],
  to: Fact[],
  statements: Statement[],
  change: Partial<QuestionContext> = {},
): string[] {
  const context: QuestionContext = {
    live: base(facts(...from)),
    desired: base(facts(...to)),
    sizes: new Map(),
    nameNow: (id) => id,
    statements,
    majorVersion: 18,
    ...change,
  };
  return rowQuestions(context, new FunctionCalls(statements, context.desired, new Map())).map(({ lists }) => lists);
}

const TEXT = column("app", "t", "v", { type: "text", notNull: false });
const CONVERT = planned('ALTER TABLE "app"."t" ALTER COLUMN "v" TYPE integer USING "v"::integer', V);
const toInteger = (change: Partial<QuestionContext> = {}): string[] =>
  questionsFor([TEXT], [column("app", "t", "v", { type: "integer", notNull: false })], [CONVERT], change);

test("values of a conversion are asked by their input from version 16 on, and before that tried one by one", () => {
  expect(toInteger()).toEqual([
    `SELECT "id" FROM "app"."t" WHERE NOT pg_catalog.pg_input_is_valid("v"::pg_catalog.text, 'integer')`,
  ]);
  const [block] = toInteger({ majorVersion: 15 });
  expect(block).toMatch(
    /^DO \$pgstrata\$[\s\S]*PERFORM "v"::integer FROM \(SELECT held.v1 AS "v"\)[\s\S]*RAISE NOTICE/,
  );
});

test("nothing is asked of a table that was seen to be empty", () => {
  expect(toInteger({ sizes: new Map([["table:app.t", { rows: 0, bytes: 0 }]]) })).toEqual([]);
  expect(toInteger({ sizes: new Map([["table:app.t", { rows: 1, bytes: 0 }]]) })).toHaveLength(1);
});

test("a table and a column are asked under their present names", () => {
  const nameNow = (id: StableId): StableId =>
    id.kind === "table"
      ? { ...id, name: "old_t" }
      : id.kind === "column" && id.name === "v"
        ? { ...id, table: "old_t", name: "old_v" }
        : id;
  const notNull = planned('ALTER TABLE "app"."t" ALTER COLUMN "v" SET NOT NULL', V);
  const required = column("app", "t", "v", { type: "text", notNull: true });
  expect(questionsFor([TEXT], [required], [notNull], { nameNow })).toEqual([
    'SELECT "id" FROM (SELECT ctid, tableoid, "id", "old_v" AS "v" FROM "app"."old_t") AS "t" WHERE "v" IS NULL',
  ]);
});

test("a check over a converted, a new and a computed column is asked over what they will hold", () => {
  const check = constraint("app", "t", "c", { type: "c", def: "CHECK (((v > n) AND (g > 0)))", validated: true });
  const statements = [CONVERT, planned('ALTER TABLE "app"."t" ADD CONSTRAINT "c" …', check.id, "create")];
  const after = [
    column("app", "t", "v", { type: "integer", notNull: false }),
    column("app", "t", "n", { type: "integer", notNull: false }),
    {
      id: { kind: "default", schema: "app", table: "t", name: "n" },
      parent: { ...V, name: "n" },
      payload: { expr: "3" },
    } satisfies Fact,
    column("app", "t", "g", { type: "integer", notNull: false, generatedExpr: "(id + v)" }),
    check,
  ];
  expect(questionsFor([TEXT], after, statements)[1]).toBe(
    'SELECT "id" FROM (SELECT ctid, tableoid, "id", "v", "n", ((id + v))::integer AS "g" FROM ' +
      '(SELECT ctid, tableoid, "id", ("v"::integer) AS "v", (3)::integer AS "n" FROM "app"."t") AS "t") AS "t" WHERE NOT (((v > n) AND (g > 0)))',
  );
});
