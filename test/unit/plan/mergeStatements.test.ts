import { describe, expect, it } from "vitest";
import { withColumnPrivilegesMerged } from "../../../provider/plan/mergeStatements.ts";
import type { Statement } from "../../../provider/plan/statement.ts";

/** A privilege on one column of `app.t`, as the planner writes it. */
const privilege = (verb: string, what: string, name: string, tail: string): Statement => ({
  sql: `${verb} ${what} ("${name}") ON TABLE "app"."t" ${tail}`,
  op: "update",
  object: "table app.t",
  id: { kind: "column", schema: "app", table: "t", name },
  subject: `grant on column app.t.${name}`,
  lock: "none",
  transaction: "shared",
  work: "catalog",
  drops: [],
  rewrites: false,
  destructive: false,
  consumes: [`column ${name}`],
});

const sqlOf = (...statements: Statement[]): string[] => withColumnPrivilegesMerged(statements).map(({ sql }) => sql);

describe("privileges on columns", () => {
  it("of one grantee become one statement, which needs what each needed", () => {
    const merged = withColumnPrivilegesMerged([
      privilege("GRANT", "SELECT", "a", "TO r"),
      privilege("GRANT", "SELECT", "b", "TO r"),
    ]);
    expect(merged).toMatchObject([
      {
        sql: 'GRANT SELECT ("a", "b") ON TABLE "app"."t" TO r',
        subject: "grant on 2 columns of table app.t",
        consumes: ["column a", "column b"],
      },
    ]);
  });

  it("do not overtake what is said of the same column before", () => {
    expect(
      sqlOf(
        privilege("GRANT", "SELECT", "a", "TO r"),
        privilege("REVOKE", "ALL", "b", "FROM r"),
        privilege("GRANT", "SELECT", "b", "TO r"),
        privilege("GRANT", "SELECT", "c", "TO r"),
      ),
    ).toEqual([
      'GRANT SELECT ("a") ON TABLE "app"."t" TO r',
      'REVOKE ALL ("b") ON TABLE "app"."t" FROM r',
      'GRANT SELECT ("b", "c") ON TABLE "app"."t" TO r',
    ]);
  });

  it("of other grantees, with other options, or written in another way stay apart", () => {
    const apart = [
      privilege("GRANT", "SELECT", "a", "TO r"),
      privilege("GRANT", "SELECT", "b", "TO s"),
      privilege("GRANT", "SELECT", "c", "TO r WITH GRANT OPTION"),
      privilege("GRANT", "INSERT", "d", "TO r"),
      { ...privilege("GRANT", "SELECT", "e", "TO r"), transaction: "none" as const },
      { ...privilege("GRANT", "SELECT", "f", "TO r"), sql: 'GRANT SELECT ("f", "g") ON TABLE "app"."t" TO r' },
    ];
    expect(sqlOf(...apart)).toEqual(apart.map(({ sql }) => sql));
  });
});
