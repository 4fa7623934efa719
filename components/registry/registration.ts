/**
 * Whether the arguments of a registration agree with its connection string; pure, so that tests need no
 * engine. Reading the string itself is left to `provider/services/`.
 */

import { type ConnectionParts, parseConnectionString } from "../../provider/services/connectionString.ts";
import { ConnectionStringError } from "../../provider/services/connectionStringError.ts";
import { DATABASE_TYPES, isDatabaseType } from "../../provider/services/serviceTypes.ts";
import { type Fault, faultsOf } from "../program/errorCodes.ts";

/** What a program says about a registration beside the connection string. */
export interface GivenParts {
  /** A `DatabaseType`; types are stripped before the program runs, so it is checked. */
  type: string;
  databaseName: string;
  host: string | undefined;
  port: number | undefined;
  username: string | undefined;
  database: string | undefined;
  tls: boolean | undefined;
}

/** The connection string's parts, or a message that names every fault and its code. */
export type CheckedRegistration = { parts: ConnectionParts } | { message: string };

/** Checks a registration as a whole. A message never holds the connection string or its password. */
export function checkRegistration(connectionString: string, given: GivenParts): CheckedRegistration {
  const faults: Fault[] = ownFaults(given).map((reason) => ({ code: "PS616", reason }));
  const parts = tryParse(connectionString, given.type);
  if (typeof parts === "string") faults.push({ code: "PS615", reason: parts });
  else faults.push(...contradictions(parts, given).map((reason): Fault => ({ code: "PS616", reason })));
  if (typeof parts !== "string" && faults.length === 0) return { parts: withDefaults(parts) };
  return {
    message: faultsOf(`the registration of "${given.databaseName}"`, faults, [
      "Correct the arguments or the connection string; an argument that is left out follows the string.",
    ]),
  };
}

/** `private` for a host of Railway's internal network, else `public`. */
export function networkOf(host: string): "private" | "public" {
  return host.toLowerCase().endsWith(".railway.internal") ? "private" : "public";
}

function ownFaults(given: GivenParts): string[] {
  const faults: string[] = [];
  if (!isDatabaseType(given.type)) {
    faults.push(`type: "${given.type}" is not a database type; expected one of ${DATABASE_TYPES.join(", ")}`);
  }
  if (given.databaseName.trim() === "") faults.push("databaseName: is empty; expected a display name");
  if (given.port !== undefined && !(Number.isInteger(given.port) && given.port >= 1 && given.port <= 65535)) {
    faults.push(`port: ${given.port} is not a port; expected a whole number from 1 to 65535`);
  }
  return faults;
}

function tryParse(connectionString: string, type: string): ConnectionParts | string {
  try {
    return parseConnectionString(connectionString, type);
  } catch (error) {
    if (error instanceof ConnectionStringError) return `connectionString: ${error.message}`;
    throw error;
  }
}

function contradictions(parts: ConnectionParts, given: GivenParts): string[] {
  if (isDatabaseType(given.type) && parts.type !== given.type) {
    // The other parts of a string of another kind would only contradict in consequence.
    return [`type: "${given.type}" was given, but the connection string is one of type "${parts.type}"`];
  }
  const faults: string[] = [];
  const compare = (property: string, wanted: unknown, found: unknown, say: string) => {
    if (wanted !== undefined && wanted !== found) {
      faults.push(`${property}: ${JSON.stringify(wanted)} was given, but the connection string says ${say}`);
    }
  };
  compare("host", given.host?.toLowerCase(), parts.host.toLowerCase(), JSON.stringify(parts.host));
  compare("port", given.port, parts.port, String(parts.port));
  compare(
    "username",
    given.username,
    parts.username,
    parts.username === undefined ? "no user" : JSON.stringify(parts.username),
  );
  if (parts.database !== undefined || parts.type !== "mongodb") {
    compare(
      "database",
      given.database,
      parts.database,
      parts.database === undefined ? "none" : JSON.stringify(parts.database),
    );
  }
  compare("tls", given.tls, parts.tls, parts.tls ? "TLS" : "no TLS");
  return faults;
}

/** MongoDB: a string that names no database signs in at `admin`, the server's default. */
function withDefaults(parts: ConnectionParts): ConnectionParts {
  return parts.type === "mongodb" ? { ...parts, database: parts.database ?? "admin" } : parts;
}
