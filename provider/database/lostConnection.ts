import { UserError } from "../core/errors.ts";
import { codeOf } from "./connectionError.ts";

/** The connection broke while it was in use. The server undoes an open transaction by itself. */
export class LostConnection extends UserError {
  override name = "LostConnection";
}

/** Why an established connection broke; undefined when the error is none of that. */
export function connectionLoss(error: unknown): string | undefined {
  switch (codeOf(error)) {
    case "57P01":
      return "the server is shutting down, or an administrator ended the connection";
    case "57P02":
      return "another process of the server crashed, and the server starts again";
    case "57P03":
      return "the server is starting up or shutting down";
    case "57P05":
      return "it was idle for longer than the server allows";
    case "08000":
    case "08003":
    case "08006":
    case "ECONNRESET":
    case "EPIPE":
    case "ETIMEDOUT":
      return "the network or the server broke it";
  }
  // The driver has no codes for these.
  const isLost =
    error instanceof Error &&
    /^(Connection terminated|Connection ended|Client has encountered a connection error|Client was closed)/.test(
      error.message,
    );
  return isLost ? "the network or the server broke it" : undefined;
}

/** What to tell of a connection that broke in use; undefined when the error is none of that. */
export function describeLostConnection(error: unknown): LostConnection | undefined {
  const reason = connectionLoss(error);
  if (error instanceof UserError || reason === undefined) return undefined;
  return new LostConnection(
    `the connection to the database was lost: ${reason}. The server undoes what was not committed, so nothing is half done. ` +
      "Run `pulumi up` again once the server can be reached: it goes on from what the database then holds.",
  );
}
