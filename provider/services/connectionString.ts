/**
 * What a connection string says: type, host, port, user, database, TLS. No error repeats the string or a part
 * of it, because a malformed one may hold its password anywhere. What only one type knows is left to it.
 */
import { ConnectionStringError } from "./connectionStringError.ts";
import type { ServiceParts } from "./serviceType.ts";
import { type DatabaseType, SERVICE_TYPES } from "./serviceTypes.ts";

/** What a connection string says, with the type that it is of. */
export interface ConnectionParts extends ServiceParts {
  type: DatabaseType;
}

const EXPECTED = "expected scheme://user:password@host:port/database";
const ENCODE =
  'write reserved characters of user and password percent-encoded ("@" as %40, "/" as %2F, "?" as %3F, "#" as %23)';

/**
 * Reads a connection string of one of the schemes that the types of service have.
 *
 * A string with several hosts and `mongodb+srv` are refused: a registration holds one host and one port.
 *
 * @param type the one that is meant, where several have the scheme; without it the first of them.
 * @throws ConnectionStringError when the string cannot be read without guessing.
 */
export function parseConnectionString(text: string, type?: string): ConnectionParts {
  const { service, scheme } = readScheme(text, type);
  // Control characters and spaces would be dropped in silence by the URL parser.
  if (/[\s\p{Cc}]/u.test(text))
    throw new ConnectionStringError("it contains white space or a control character; remove it");
  refuseSeveralHosts(text);
  const url = readUrl(text);
  const password = decode(url.password, "password");
  const path = decode(url.pathname.replace(/^\//, ""), "path");
  if (path?.includes("/")) throw new ConnectionStringError(`its path has several parts; ${EXPECTED}`);
  const username = decode(url.username, "user name");
  const host = readHost(url.hostname);
  const port = readPort(url.port, service.defaultPort);
  const meaning = service.read({ username, password, path, parameters: url.searchParams });
  return { type: service.type, host, port, password, ...meaning, tls: scheme.tls || meaning.tls };
}

/**
 * The form that may be shown to anyone: scheme of the type, host and port; no user, no password, no path.
 */
export function maskedConnectionString(parts: Pick<ConnectionParts, "type" | "host" | "port">): string {
  const host = parts.host.includes(":") ? `[${parts.host}]` : parts.host;
  return `${parts.type}://${host}:${parts.port}`;
}

function readScheme(text: string, type: string | undefined) {
  const match = /^([a-z][a-z0-9+.-]{0,30}):\/\//i.exec(text);
  if (!match?.[1]) throw new ConnectionStringError(`it does not begin with a scheme such as mongodb://; ${EXPECTED}`);
  const name = match[1].toLowerCase();
  if (name === "mongodb+srv") {
    throw new ConnectionStringError(
      "mongodb+srv names a DNS record and not a host and port; give the mongodb:// form with one host and its port",
    );
  }
  const known = SERVICE_TYPES.flatMap((service) =>
    Object.entries(service.schemes).map(([each, scheme]) => ({ name: each, service, scheme })),
  );
  const fitting = known.filter((each) => each.name === name);
  const found = fitting.find(({ service }) => service.type === type) ?? fitting[0];
  if (found !== undefined) return found;
  const names = [...new Set(known.map((each) => `${each.name}://`))];
  throw new ConnectionStringError(`its scheme is not known; expected one of ${names.join(", ")}`);
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
