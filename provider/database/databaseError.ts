/**
 * What is said of an error of the database that belongs to no statement of a plan: a lost connection, or a
 * SQLSTATE with advice.
 */
import pg from "pg";
import { UserError } from "../core/errors.ts";
import { describeLostConnection } from "./lostConnection.ts";
import { SQLSTATES } from "./sqlstate.ts";

/**
 * Turns an error of the database, or of the connection to it, into a message about what to do. Undefined when
 * it is neither.
 */
export function describeDatabaseError(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  const lost = describeLostConnection(error);
  if (lost !== undefined || !(error instanceof pg.DatabaseError)) return lost;
  const known = SQLSTATES[error.code ?? ""];
  return new UserError(
    known?.code ?? "PS301",
    known === undefined
      ? `the database reports: ${error.message} (SQLSTATE ${error.code ?? "unknown"}).`
      : `${known.reason(error)}. ${known.advice(error)}`,
    { cause: error },
  );
}
