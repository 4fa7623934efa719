// Whether a database takes changes at all: a standby and a database that is set read-only are refused before
// anything is tried. What the server says to a single statement is in `sqlstate.ts`.
import { UserError } from "../core/errors.ts";
import type { Database } from "./target.ts";

/** Why the database takes no change, and what to do; undefined where it takes them. */
export async function readOnlyReason(database: Database): Promise<string | undefined> {
  switch ((await database.facts()).readOnly) {
    case undefined:
      return undefined;
    case "standby":
      return `${database.label} is read-only: it is a standby, which replays what its primary server does. Expected the primary server; correct the host in the URL`;
    case "setting":
      return `${database.label} is read-only: default_transaction_read_only is set for the server, the database or the role. Expected a database that takes changes; reset the setting, or connect as a role without it`;
  }
}

/** @throws {UserError} where the database takes no change. */
export async function refuseReadOnly(database: Database): Promise<void> {
  const reason = await readOnlyReason(database);
  if (reason !== undefined) throw new UserError("PS505", `${reason}. Nothing was changed.`);
}
