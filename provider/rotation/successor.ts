/** What the new credential of a rotation is called, and the connection string that has it. */
import { randomBytes } from "node:crypto";
import { parseConnectionString } from "../services/connectionString.ts";

const PASSWORD_BYTES = 32;
/** PostgreSQL cuts longer names. */
const MOST_BYTES = 63;
const SUFFIXES = ["a", "b", "c", "d"];

/** Of letters, digits, `-` and `_`, so that it stands in a URL as it is. */
export const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString("base64url");

/**
 * Names for the next login of a group, in the order in which they are tried: two take turns, unless one of
 * them is somebody else's.
 */
export function loginNames(group: string, current: string): string[] {
  const base =
    Buffer.byteLength(group) > MOST_BYTES - 2
      ? Buffer.from(group)
          .subarray(0, MOST_BYTES - 2)
          .toString()
      : group;
  return SUFFIXES.map((suffix) => `${base}_${suffix}`).filter((name) => name !== current && name !== group);
}

/** The same connection string with another user and password. */
export function successorOf(connectionString: string, type: string, user: string, password: string): string {
  const before = parseConnectionString(connectionString, type);
  const login = `${encodeURIComponent(user)}:${password}@`;
  const text = connectionString.replace(
    /^([a-z][a-z0-9+.-]*:\/\/)(?:[^@/?#]*@)?/i,
    (_, scheme: string) => scheme + login,
  );
  if (parseConnectionString(text, type).database === before.database) return text;
  // Without a path, the name of the user is that of the database.
  const database = `/${encodeURIComponent(before.database ?? "")}`;
  return text.replace(/^([^/]*\/\/[^/?#]*)\/?/, (_, authority: string) => authority + database);
}
