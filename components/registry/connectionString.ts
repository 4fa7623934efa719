/**
 * What a connection string says: type, host, port, user, database, TLS. No error repeats the string or a part
 * of it, because a malformed one may hold its password anywhere.
 */

/** The kinds of database service that can be registered. */
export const DATABASE_TYPES = ["mongodb", "redis", "postgresql"] as const;
export type DatabaseType = (typeof DATABASE_TYPES)[number];

export interface ConnectionParts {
  type: DatabaseType;
  /** Host name or address; an IPv6 address without its brackets. */
  host: string;
  /** 1 to 65535; the type's usual port where the string names none. */
  port: number;
  /** Undefined where the string names no user. Redis: `default` where it names a password only. */
  username: string | undefined;
  /** Secret. */
  password: string | undefined;
  /**
   * The database that the string names; for Redis the number as text, `0` where it names none; for PostgreSQL
   * the user's name where it names none, as every client does. Undefined where the string leaves it open.
   */
  database: string | undefined;
  /** Whether the string demands TLS. PostgreSQL's `allow` and `prefer` do not demand it. */
  tls: boolean;
}

/** The string cannot be read. The message may be shown. */
export class ConnectionStringError extends Error {
  override name = "ConnectionStringError";
}

interface Scheme {
  type: DatabaseType;
  port: number;
  /** The scheme itself demands TLS. */
  tls: boolean;
}

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ["mongodb:", { type: "mongodb", port: 27017, tls: false }],
  ["redis:", { type: "redis", port: 6379, tls: false }],
  ["rediss:", { type: "redis", port: 6379, tls: true }],
  ["postgresql:", { type: "postgresql", port: 5432, tls: false }],
  ["postgres:", { type: "postgresql", port: 5432, tls: false }],
]);

const EXPECTED = "expected scheme://user:password@host:port/database";
const ENCODE =
  'write reserved characters of user and password percent-encoded ("@" as %40, "/" as %2F, "?" as %3F, "#" as %23)';

/**
 * Reads a connection string of one of the schemes `mongodb`, `redis`, `rediss`, `postgresql` and `postgres`.
 *
 * A string with several hosts and `mongodb+srv` are refused: a registration holds one host and one port.
 *
 * @throws ConnectionStringError when the string cannot be read without guessing.
 */
export function parseConnectionString(text: string): ConnectionParts {
  const scheme = readScheme(text);
  // Control characters and spaces would be dropped in silence by the URL parser.
  if (/[\s\p{Cc}]/u.test(text))
    throw new ConnectionStringError("it contains white space or a control character; remove it");
  refuseSeveralHosts(text);
  const url = readUrl(text);
  const username = decode(url.username, "user name") ?? impliedUser(scheme.type, url.password);
  return {
    type: scheme.type,
    host: readHost(url.hostname),
    port: readPort(url.port, scheme.port),
    username,
    password: decode(url.password, "password"),
    database: readDatabase(scheme.type, url, username),
    tls: scheme.tls || readTls(scheme.type, url.searchParams),
  };
}

/**
 * The form that may be shown to anyone: scheme of the type, host and port; no user, no password, no path.
 */
export function maskedConnectionString(parts: Pick<ConnectionParts, "type" | "host" | "port">): string {
  const host = parts.host.includes(":") ? `[${parts.host}]` : parts.host;
  return `${parts.type}://${host}:${parts.port}`;
}

function readScheme(text: string): Scheme {
  const match = /^([a-z][a-z0-9+.-]{0,30}:)\/\//i.exec(text);
  if (!match?.[1]) throw new ConnectionStringError(`it does not begin with a scheme such as mongodb://; ${EXPECTED}`);
  const name = match[1].toLowerCase();
  if (name === "mongodb+srv:") {
    throw new ConnectionStringError(
      "mongodb+srv names a DNS record and not a host and port; give the mongodb:// form with one host and its port",
    );
  }
  const scheme = SCHEMES.get(name);
  if (!scheme) {
    const known = [...SCHEMES.keys()].map((each) => `${each}//`);
    throw new ConnectionStringError(`its scheme is not known; expected one of ${known.join(", ")}`);
  }
  return scheme;
}

/** The part between `//` and the path, without user and password. */
function hostList(text: string): string {
  const authority = text.slice(text.indexOf("//") + 2).split(/[/?#]/, 1)[0] ?? "";
  return authority.slice(authority.lastIndexOf("@") + 1);
}

function refuseSeveralHosts(text: string): void {
  if (hostList(text).includes(",")) {
    throw new ConnectionStringError(
      "it names several hosts; a registration holds one host and one port: name one member",
    );
  }
}

function readUrl(text: string): URL {
  const afterAuthority = text.slice(text.indexOf("//") + 2).replace(/^[^/?#]*/, "");
  // A raw "/", "?" or "#" in a password ends the host part early, and a piece of the password would be taken
  // for a host.
  if (afterAuthority.includes("@") || afterAuthority.includes("#")) {
    throw new ConnectionStringError(`it has a raw "@" or "#" after its host part; ${ENCODE}`);
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ConnectionStringError(`it is not a well-formed URL; ${EXPECTED}, and ${ENCODE}`);
  }
  if (url.hostname === "") throw new ConnectionStringError(`it names no host; ${EXPECTED}`);
  const elsewhere = ["host", "hostaddr", "port", "user", "password", "dbname"].filter((key) =>
    url.searchParams.has(key),
  );
  if (elsewhere.length > 0) {
    throw new ConnectionStringError(`it gives ${elsewhere.join(", ")} as a query parameter; ${EXPECTED}`);
  }
  return url;
}

function readHost(hostname: string): string {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  if (!/^[A-Za-z0-9._-]+$/.test(hostname) && !/^[0-9a-f:.]+$/i.test(host)) {
    throw new ConnectionStringError("its host is not a host name or an address; socket directories are not supported");
  }
  return host;
}

function readPort(text: string, usual: number): number {
  const port = text === "" ? usual : Number(text);
  if (port < 1) throw new ConnectionStringError("its port is 0; expected 1 to 65535");
  return port;
}

function decode(text: string, what: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConnectionStringError(
      `its ${what} has a "%" that is not followed by two hex digits of UTF-8; write "%" as %25`,
    );
  }
}

function impliedUser(type: DatabaseType, password: string): string | undefined {
  return type === "redis" && password !== "" ? "default" : undefined;
}

function readDatabase(type: DatabaseType, url: URL, username: string | undefined): string | undefined {
  const path = decode(url.pathname.replace(/^\//, ""), "path");
  if (path?.includes("/")) throw new ConnectionStringError(`its path has several parts; ${EXPECTED}`);
  if (type === "postgresql") return path ?? username;
  if (type === "mongodb") return path;
  const number = single(url.searchParams, ["db"]);
  if (path !== undefined && number !== undefined && path !== number) {
    throw new ConnectionStringError("its path and its parameter db name different databases; name one");
  }
  const database = path ?? number ?? "0";
  if (!/^\d{1,6}$/.test(database))
    throw new ConnectionStringError("its path is not a Redis database number, such as /0");
  return database;
}

function readTls(type: DatabaseType, parameters: URLSearchParams): boolean {
  if (type === "redis") return false;
  const flag = single(parameters, type === "mongodb" ? ["tls", "ssl"] : ["ssl"]);
  if (flag !== undefined && !["true", "false", "1", "0"].includes(flag)) {
    throw new ConnectionStringError("its parameter tls or ssl is neither true nor false");
  }
  const flagged = flag === undefined ? undefined : flag === "true" || flag === "1";
  if (type === "mongodb") return flagged ?? false;
  const mode = single(parameters, ["sslmode"]);
  if (mode === undefined) return flagged ?? false;
  const demanded = SSL_MODES.get(mode);
  if (demanded === undefined) {
    throw new ConnectionStringError(`its sslmode is not known; expected one of ${[...SSL_MODES.keys()].join(", ")}`);
  }
  if (flagged !== undefined && flagged !== demanded) {
    throw new ConnectionStringError("its parameters ssl and sslmode say different things; give one");
  }
  return demanded;
}

/** Whether PostgreSQL's `sslmode` demands TLS. */
const SSL_MODES: ReadonlyMap<string, boolean> = new Map([
  ["disable", false],
  ["allow", false],
  ["prefer", false],
  ["require", true],
  ["verify-ca", true],
  ["verify-full", true],
]);

/** The value of a parameter, or of its synonyms; undefined where there is none. */
function single(parameters: URLSearchParams, names: string[]): string | undefined {
  const values = new Set(names.flatMap((name) => parameters.getAll(name)));
  if (values.size > 1) {
    throw new ConnectionStringError(`it gives different values for the parameter ${names.join(" or ")}; give one`);
  }
  return [...values][0];
}
