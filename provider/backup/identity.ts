/**
 * Which database a backup is of: server and name, whatever address and role lead to it. A restore gives the
 * name to a new database, so its OID tells nothing.
 */
import { codeOf } from "../database/connectionError.ts";
import type { ConnectionTarget } from "../database/connectionUrl.ts";
import type { Database } from "../database/target.ts";
import type { BackupRecord, DatabaseIdentity } from "./record.ts";

const IDENTITY = `
  select system_identifier::pg_catalog.text as server, pg_catalog.current_database()::pg_catalog.text as name
    from pg_catalog.pg_control_system()`;

/** A database as far as it is known. */
export interface KnownDatabase {
  target: Pick<ConnectionTarget, "label" | "user">;
  /** Undefined where the server does not tell or does not answer. */
  identity: DatabaseIdentity | undefined;
}

/** Undefined where the role may not ask. */
export async function readIdentity(database: Database): Promise<DatabaseIdentity | undefined> {
  const pool = await database.pool();
  const { rows } = await pool.query<DatabaseIdentity>(IDENTITY).catch((error: unknown) => {
    if (codeOf(error) !== "42501") throw error;
    return { rows: [] };
  });
  return rows[0];
}

/** Whether a backup is of this database; by host, port and name where one of the two has no identity. */
export function isOfDatabase(
  { identity: noted, database }: BackupRecord,
  { target, identity }: KnownDatabase,
): boolean {
  if (noted !== undefined && identity !== undefined) return isSameDatabase(noted, identity);
  return database.endsWith(addressOf(target));
}

export const isSameDatabase = (one: DatabaseIdentity, other: DatabaseIdentity): boolean =>
  one.server === other.server && one.name === other.name;

/** `@host:port/database`. */
export const addressOf = ({ label, user }: KnownDatabase["target"]): string => label.slice(user.length);
