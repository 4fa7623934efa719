/**
 * What is said when the server refuses a planned statement, and with which code. What each SQLSTATE means is
 * in `database/sqlstate.ts`.
 */
import pg from "pg";
import type { ErrorCode } from "../core/errorCodes.ts";
import { UserError } from "../core/errors.ts";
import { describeDatabaseError } from "../database/databaseError.ts";
import { connectionLoss } from "../database/lostConnection.ts";
import { calledFrom, isOf, SQLSTATES } from "../database/sqlstate.ts";
import { isContention } from "../database/transaction.ts";
import type { Statement } from "../plan/statement.ts";

/** A statement that the server refused. */
export class StatementError extends Error {
  readonly statement: Statement;
  override readonly cause: unknown;
  /** How many statements before it stay, because the server demanded a commit after one of them. */
  readonly committed: number;

  constructor(statement: Statement, cause: unknown, committed: number) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.statement = statement;
    this.cause = cause;
    this.committed = committed;
  }
}

/** Rows or names that a statement meets are another matter than those of a `Row`. */
function reasonOf(sqlstate = ""): ErrorCode {
  if (isOf("rows", sqlstate)) return "PS310";
  const known = isOf("name", sqlstate) ? undefined : SQLSTATES[sqlstate];
  return known?.code ?? "PS301";
}

/**
 * A statement that the server refused, as a person reads it. Definitions hold no secrets, so the SQL is
 * shown.
 */
export class RefusedStatement extends UserError {
  override name = "RefusedStatement";
  readonly sqlstate: string | undefined;
  /** How many statements before it stay. */
  readonly committed: number;

  constructor(
    {
      statement: { sql, subject, recomputes },
      committed,
    }: { statement: Pick<Statement, "sql" | "subject" | "recomputes">; committed: number },
    cause: pg.DatabaseError,
  ) {
    const message =
      recomputes?.in === "check" && isOf("rows", cause.code)
        ? `there are rows that it refuses by the changed ${recomputes.of}`
        : cause.message;
    const lines = [`The server refused ${subject}: ${message} (SQLSTATE ${cause.code ?? "unknown"}).`];
    if (cause.hint !== undefined) lines.push(`The server's hint: ${cause.hint}`);
    if (isOf("surroundings", cause.code)) lines.push(describeDatabaseError(cause)?.message ?? "");
    // What is known of rows is advice to a `Row`.
    if (calledFrom(cause) !== undefined && !isOf("rows", cause.code))
      lines.push(SQLSTATES[cause.code ?? ""]?.advice(cause) ?? "");
    // A check is tried as another one beside it, of a name that says nothing.
    const shown = recomputes?.in === "check" ? [] : sql.split("\n").slice(0, 20);
    if (shown.length > 0) lines.push("The statement was:", ...shown.map((line) => `    ${line}`));
    lines.push(
      committed === 0
        ? "The transaction was rolled back: nothing was changed."
        : `The transaction was rolled back; the ${committed} statements before it stay, each harmless by itself. Run \`pulumi up\` again once the cause is removed.`,
    );
    super(reasonOf(cause.code), isOf("contention", cause.code) ? `${subject}: ${cause.message}` : lines.join("\n"), {
      cause,
    });
    this.sqlstate = cause.code;
    this.committed = committed;
  }
}

/** What the server said to a statement, as a person reads it; anything else comes back as it is. */
export function explained(error: unknown): unknown {
  if (!(error instanceof StatementError)) return error;
  if (connectionLoss(error.cause) !== undefined) return error.cause;
  if (!(error.cause instanceof pg.DatabaseError)) return error;
  return new RefusedStatement(error, error.cause);
}

/** Whether the plan may have failed because the catalog had changed since it was read. */
export function mayBeOutdated(error: unknown): boolean {
  if (!(error instanceof RefusedStatement) || error.committed > 0 || isContention(error)) return false;
  return !isOf("surroundings", error.sqlstate);
}
