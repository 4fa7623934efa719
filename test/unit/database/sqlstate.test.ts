import pg from "pg";
import { describe, expect, test } from "vitest";
import { RefusedStatement } from "../../../provider/apply/statementError.ts";
import type { ErrorCode } from "../../../provider/core/errorCodes.ts";
import { describeDatabaseError } from "../../../provider/database/databaseError.ts";
import { connectionLoss } from "../../../provider/database/lostConnection.ts";
import { isOf, SQLSTATES } from "../../../provider/database/sqlstate.ts";
import { isContention } from "../../../provider/database/transaction.ts";

const raised = (code: string): pg.DatabaseError =>
  Object.assign(new pg.DatabaseError("the message", 0, "error"), {
    code,
    detail: "Failing row contains (canary)",
    constraint: "a_constraint",
    schema: "app",
    table: "things",
    column: "a_column",
  });

/** What a user is told, in a `Row` and wherever no statement of a plan was refused. */
const CODES: Record<string, ErrorCode> = {
  "55P03": "PS302",
  "40P01": "PS302",
  "40001": "PS302",
  "57P01": "PS504",
  "57P02": "PS504",
  "57P03": "PS504",
  "08P01": "PS504",
  "57P05": "PS504",
  "08000": "PS504",
  "08003": "PS504",
  "08006": "PS504",
  "42501": "PS304",
  "57014": "PS306",
  "25006": "PS505",
  "53300": "PS503",
  "53100": "PS505",
  "53200": "PS305",
  "23001": "PS404",
  "23502": "PS405",
  "23503": "PS404",
  "23505": "PS405",
  "23514": "PS405",
  "23P01": "PS405",
  "42P01": "PS401",
  "42703": "PS401",
  "42883": "PS401",
  "3F000": "PS401",
};

describe.each(Object.entries(SQLSTATES))("SQLSTATE %s", (code, row) => {
  const error = raised(code);

  test("has a reason without an end and an advice with one, and never the rows", () => {
    expect(row.reason(error)).toMatch(/^[^.].*[^.]$/);
    expect(row.advice(error)).toMatch(/^[A-Z].*\.$/);
    expect(row.reason(error) + row.advice(error)).not.toContain("canary");
    if (row.cause === "rows") expect(row.reason(error)).toMatch(/app\.things/);
    if (row.cause === "name") expect(row.reason(error)).toBe("the message");
  });

  test("has the code of its reason", () => {
    expect(row.code).toBe(CODES[code]);
    expect(describeDatabaseError(error)?.code).toBe(row.code);
    const statement = { sql: "select 1", subject: "table app.things" };
    expect(new RefusedStatement({ statement, committed: 0 }, error).code).toBe(
      { rows: "PS310", name: "PS301", lost: row.code, surroundings: row.code, contention: row.code }[row.cause],
    );
  });

  test("is described by both", () => {
    const message = describeDatabaseError(error)?.message;
    expect(message).toContain(row.reason(error));
    if (row.cause !== "lost") expect(message).toContain(row.advice(error));
  });

  test("is tried again where that may help, and nowhere else", () => {
    expect(isContention(error)).toBe(row.cause === "contention");
    expect(connectionLoss(error)).toBe(row.cause === "lost" ? row.reason(error) : undefined);
    expect(row.isRetryable).toBe(row.cause === "contention" || row.cause === "lost");
  });
});

test("a code that is not in the table is of no cause, and keeps the server's message", () => {
  expect(isOf("contention", "P0001")).toBe(false);
  expect(isOf("rows", undefined)).toBe(false);
  expect(describeDatabaseError(raised("P0001"))?.message).toBe("the database reports: the message (SQLSTATE P0001).");
});

test.each([
  ["40001", "canceling statement due to conflict with recovery", "PS302", /is a standby and replayed .*primary server/],
  ["08P01", "client_idle_timeout", "PS504", /a connection pooler or proxy in between ended it \(client_idle_timeout\)/],
])("SQLSTATE %s with the message %s is told as what it is", (code, message, expected, text) => {
  const error = Object.assign(new pg.DatabaseError(message, 0, "error"), { code });
  expect(describeDatabaseError(error)).toMatchObject({ code: expected, message: expect.stringMatching(text) });
});
