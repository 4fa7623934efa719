/**
 * What is said when the server cannot be reached or refuses the login. A connection that breaks in use is
 * left to `lostConnection.ts`, all other SQLSTATEs to `sqlstate.ts`.
 */
import type { ErrorCode } from "../core/errorCodes.ts";
import { UserError } from "../core/errors.ts";
import type { ConnectionTarget } from "./connectionUrl.ts";

/** The target database cannot be connected to. */
export class ConnectionError extends UserError {
  override name = "ConnectionError";
}

/**
 * Turns a failure to connect into a message about what to do; anything else comes back as it is. Never shows
 * a password.
 */
export function describeConnectionError(error: unknown, target: ConnectionTarget): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const told = advise(error, target);
  return told === undefined
    ? error
    : new ConnectionError(reasonOf(error), `cannot connect to ${target.label}: ${told}`, { cause: error });
}

/** Which of three things the user looks after: the login, a server that is busy, or the way to it. */
function reasonOf(error: Error): ErrorCode {
  const code = codeOf(error) ?? "";
  if (["28P01", "28000", "3D000"].includes(code) || asksForPassword(error.message)) return "PS502";
  return ["53300", "57P01", "57P02", "57P03"].includes(code) ? "PS503" : "PS501";
}

const asksForPassword = (message: string): boolean => /password must be a string|no password/i.test(message);

function advise(error: Error, target: ConnectionTarget): string | undefined {
  const place = `${target.host}:${target.port}`;
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return `nothing accepts connections at ${place}. Start the server, or correct host and port in the URL.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the host name "${target.host}" cannot be resolved. Correct it in the URL; names that end in .internal resolve only within their own network.`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return `${place} is not reachable from here. Check network, firewall and VPN; a private host needs its public address or a tunnel.`;
    case "ENOENT":
      return `there is no server socket at "${target.host}". Start the server, or give a host name.`;
    case "ECONNRESET":
    case "EPIPE":
      return `${place} closed the connection. Check that a PostgreSQL server listens on that port and whether it demands TLS (sslmode=require).`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "CERT_HAS_EXPIRED":
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `the server's certificate is not accepted (${codeOf(error)}) with sslmode=${target.tlsMode}. Name its root with sslrootcert=FILE, or use sslmode=require to encrypt without checking.`;
    case "28P01":
      return `the server rejects the password of role "${target.user}". Expected the role's current password; set the URL again with pulumi config set --secret.`;
    case "28000":
      return refusedRole(error, target);
    case "3D000":
      return `the server has no database "${target.database}". Create it (CREATE DATABASE) or correct the name in the URL.`;
    case "53300":
      return "the server has no free connection (too many connections). Close other clients, or raise max_connections; pgstrata needs up to 4.";
    case "57P03":
      return "the server is starting up or shutting down. Try again in a moment.";
    case "57P01":
    case "57P02":
      return "the server ended the connection (it is shutting down or an administrator ended it). Try again once it runs.";
    case "0A000":
    case "08P01":
      if (/unsupported startup parameter/.test(error.message))
        return `a connection pooler there does not pass on a setting of the URL (${error.message}). Take the setting out of the URL, or name it in the pooler's ignore_startup_parameters, which drops it.`;
      return `the server's answer is not as expected: ${error.message}. If a connection pooler stands in between, connect to the server itself.`;
  }
  return adviseByText(error.message, place);
}

/** The driver has no codes for these. */
function adviseByText(message: string, place: string): string | undefined {
  if (/timeout/i.test(message)) {
    return `${place} did not answer within 10 seconds. Check network, firewall and VPN, and that host and port are right.`;
  }
  if (serverRefusesTls(message)) {
    return "the server does not offer TLS, but the URL demands it. Use sslmode=prefer or sslmode=disable, or switch TLS on at the server.";
  }
  if (
    /unexpected|unknown (authenticationOk )?message|invalid response|There was an error establishing an SSL|received invalid/i.test(
      message,
    )
  ) {
    return `what answers at ${place} does not speak PostgreSQL's protocol. Correct host and port in the URL.`;
  }
  if (/Connection terminated|Connection ended/i.test(message)) {
    return `${place} closed the connection. Check that a PostgreSQL server listens on that port.`;
  }
  if (asksForPassword(message)) {
    return "the server asks for a password, and the URL holds none. Give the password in the URL and keep it with pulumi config set --secret.";
  }
  return undefined;
}

function refusedRole(error: Error, target: ConnectionTarget): string {
  if (/does not exist/.test(error.message)) {
    return `the server has no role "${target.user}". Create it (CREATE ROLE … LOGIN) or correct the user in the URL.`;
  }
  if (/not permitted to log in/.test(error.message)) {
    return `the role "${target.user}" may not log in. Run ALTER ROLE … LOGIN, or connect as another role.`;
  }
  const encryption = /no encryption|SSL off/.test(error.message) ? " The server demands TLS: use sslmode=require." : "";
  return `the server refuses role "${target.user}" for database "${target.database}" from this address (pg_hba.conf).${encryption} Ask for an entry, or connect from an allowed address.`;
}

/** True when the server offers no TLS at all. */
export function serverRefusesTls(message: string): boolean {
  return /does not support SSL/i.test(message);
}

/** The code of the system or of the server (SQLSTATE); of an error that tells of one, that one's. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof UserError) return sqlstateOf(error);
  if (typeof error !== "object" || error === null) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // Several addresses of one name were tried; they fail alike.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}

function sqlstateOf(error: UserError): string | undefined {
  return "sqlstate" in error && typeof error.sqlstate === "string" ? error.sqlstate : undefined;
}
