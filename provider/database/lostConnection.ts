/**
 * How a connection that broke in use is recognized, and what is said of it. Failures to connect are in
 * `connectionError.ts`.
 */
import pg from "pg";
import { UserError } from "../core/errors.ts";
import { codeOf } from "./connectionError.ts";
import { isOf, SQLSTATES } from "./sqlstate.ts";

/** The connection broke while it was in use. The server rolls back an open transaction by itself. */
export class LostConnection extends UserError {
  override name = "LostConnection";
}

/** Codes of the network for a connection that broke. */
const BROKEN = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT"]);
const BY_NETWORK = "the network, a proxy in between or the server broke it";
const ADVICE_FOR_IDLE =
  " Proxies and firewalls drop connections on which nothing passes for a while: where it happens again, connect to the server itself.";

/** Why an established connection broke; undefined when the error is none of that. */
export function connectionLoss(error: unknown): string | undefined {
  const code = codeOf(error);
  if (error instanceof pg.DatabaseError && isOf("lost", code)) return SQLSTATES[code ?? ""]?.reason(error);
  if (code !== undefined && (BROKEN.has(code) || isOf("lost", code))) return BY_NETWORK;
  // The driver has no codes for these.
  const isLost =
    error instanceof Error &&
    /^(Connection terminated|Connection ended|Client has encountered a connection error|Client was closed)/.test(
      error.message,
    );
  return isLost ? BY_NETWORK : undefined;
}

/** What to tell of a connection that broke in use; undefined when the error is none of that. */
export function describeLostConnection(error: unknown): LostConnection | undefined {
  const reason = connectionLoss(error);
  if (error instanceof UserError || reason === undefined) return undefined;
  return new LostConnection(
    "PS504",
    `the connection to the database was lost: ${reason}. The server rolls back what was not committed, so nothing is left half done. ` +
      "Run `pulumi up` again once the server can be reached: it continues from the state of the database." +
      (reason === BY_NETWORK ? ADVICE_FOR_IDLE : ""),
    { cause: error },
  );
}

/**
 * Runs `work` once more where a connection is lost in it: a proxy may have dropped one that was idle, which
 * shows when it is used again.
 *
 * @param work opens or takes its connections itself.
 * @param mayRepeat whether it may run again, asked after the loss.
 */
export async function againWhenLost<T>(work: () => Promise<T>, mayRepeat: () => boolean = () => true): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (connectionLoss(error) === undefined || !mayRepeat()) throw error;
    return work();
  }
}
