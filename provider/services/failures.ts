/**
 * Why a probe fails: a closed set of kinds, told by kind, host and port alone. What a client or a server said
 * is never part of a message, as it may quote a password; only short codes of theirs are.
 */
import type { ErrorCode } from "../core/errorCodes.ts";
import { visible } from "../core/visible.ts";

interface Kind {
  code: ErrorCode;
  /** What was found at `host:port`. */
  found: string;
  /** What to do. */
  mend: string;
}

const KINDS = {
  name: {
    code: "PS851",
    found: "the host name is not known here",
    mend: "Check the name, or run where it is known",
  },
  private: {
    code: "PS851",
    found: "the host name is not known here: names below railway.internal are known within Railway's network alone",
    mend: "Run where the name is known, such as `npm run health` within that network, or register the public address",
  },
  refused: {
    code: "PS851",
    found: "nothing listens on the port",
    mend: "Check the port, and whether the service runs",
  },
  unreachable: {
    code: "PS851",
    found: "the host cannot be reached",
    mend: "Check the address, routes and firewalls",
  },
  timeout: {
    code: "PS851",
    found: "there was no answer in time",
    mend: "Check firewalls, and whether the service is overloaded",
  },
  noTls: {
    code: "PS852",
    found: "the service speaks no TLS there, and the connection string demands it",
    mend: "Turn TLS on at the service, or register the string without it",
  },
  onlyTls: {
    code: "PS852",
    found: "the service accepts TLS alone, and the connection string has none",
    mend: "Register the string with TLS",
  },
  certificate: {
    code: "PS852",
    found: "the certificate of the service does not verify",
    mend: "Name the authority that signed it in `config.ca`, the host as the certificate has it, or renew the certificate",
  },
  login: {
    code: "PS853",
    found: "the service refuses the login",
    mend: "Check user and password of the connection string",
  },
  rights: {
    code: "PS854",
    found: "the user lacks rights",
    mend: "Grant them, or register a user that has them",
  },
  readOnly: {
    code: "PS854",
    found: "the service takes no writes",
    mend: "Register the primary server, or end its read-only mode",
  },
  database: {
    code: "PS855",
    found: "the database that the connection string names does not exist",
    mend: "Create it, or register the one that exists",
  },
  busy: {
    code: "PS855",
    found: "the service accepts no work at the moment",
    mend: "Try again once it has started, or has connections, memory and disk to spare",
  },
  unsaved: {
    code: "PS876",
    found: "the service keeps its users in memory alone, so that a new one would be gone with its next start",
    mend: "Give it an `aclfile`, or a configuration file that it may write",
  },
  protocol: {
    code: "PS855",
    found: "what answers is not a service of that type, or closed the connection",
    mend: "Check type, host and port of the registration",
  },
} as const satisfies Record<string, Kind>;

export type FailureKind = keyof typeof KINDS;

/** Short names that clients and servers give to reasons, such as `28P01` or `ECONNRESET`. */
const SHORT_CODE = /^[A-Za-z0-9_]{1,48}$/;

/** A probe that did not succeed. Its message may be shown. */
export class ProbeFailure extends Error {
  override name = "ProbeFailure";
  readonly kind: FailureKind;
  readonly code: ErrorCode;

  /**
   * @param detail words of this project, or a short code of a client or a server; anything else is left out.
   */
  constructor(kind: FailureKind, where: Endpoint, detail?: Detail) {
    const { code, found, mend } = KINDS[kind];
    super(`${endpointText(where)}: ${found}${detailText(detail)}. ${mend}.`);
    this.kind = kind;
    this.code = code;
  }
}

export interface Endpoint {
  host: string;
  port: number;
}

export type Detail = { words: string } | { code: unknown };

export const endpointText = ({ host, port }: Endpoint): string =>
  visible(`${host.includes(":") ? `[${host}]` : host}:${port}`);

function detailText(detail: Detail | undefined): string {
  if (detail === undefined) return "";
  if ("words" in detail) return ` (${detail.words})`;
  const code = String(detail.code ?? "");
  return SHORT_CODE.test(code) ? ` (${code})` : "";
}

/** The reason that a system call, TLS or a client gives as `code`; of wrapped errors the outermost one. */
export function codeOf(error: unknown): string {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ("code" in each && typeof each.code === "string") return each.code;
  }
  return "";
}

const REFUSED = new Set(["ECONNREFUSED"]);
const UNREACHABLE = new Set([
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EACCES",
  "EINVAL",
]);
const TIMED_OUT = new Set(["ETIMEDOUT", "ABORT_ERR", "ESOCKETTIMEDOUT"]);
const UNKNOWN_NAME = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "EAI_NONAME", "ENODATA"]);

const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its authority is not known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its authority is not known",
  UNABLE_TO_GET_ISSUER_CERT: "its authority is not known",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its authority is not known",
  CERT_SIGNATURE_FAILURE: "its signature is wrong",
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  CERT_REVOKED: "it is revoked",
  CERT_UNTRUSTED: "it is not trusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another host name",
};

/** What an error of a socket or of TLS means; undefined where it is of neither. */
export function networkFailure(error: unknown, where: Endpoint): ProbeFailure | undefined {
  if (error instanceof ProbeFailure) return error;
  const code = codeOf(error);
  if (UNKNOWN_NAME.has(code)) return new ProbeFailure(isPrivate(where.host) ? "private" : "name", where);
  if (REFUSED.has(code)) return new ProbeFailure("refused", where);
  if (UNREACHABLE.has(code)) return new ProbeFailure("unreachable", where, { code });
  if (TIMED_OUT.has(code)) return new ProbeFailure("timeout", where);
  const fault = CERTIFICATE_FAULTS[code];
  return fault === undefined ? undefined : new ProbeFailure("certificate", where, { words: fault });
}

const isPrivate = (host: string): boolean => host.toLowerCase().endsWith(".railway.internal");
