import pg from "pg";
import { describe, expect, test } from "vitest";
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

describe.each(Object.entries(SQLSTATES))("SQLSTATE %s", (code, row) => {
  const error = raised(code);

  test("has a reason without an end and an advice with one, and never the rows", () => {
    expect(row.reason(error)).toMatch(/^[^.].*[^.]$/);
    expect(row.advice(error)).toMatch(/^[A-Z].*\.$/);
    expect(row.reason(error) + row.advice(error)).not.toContain("canary");
    if (row.cause === "rows") expect(row.reason(error)).toMatch(/app\.things/);
    if (row.cause === "name") expect(row.reason(error)).toBe("the message");
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
