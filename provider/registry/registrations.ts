/**
 * What hangs on a registration, and what of it would be lost with the row. The deletion itself is left to
 * `resources/row/`.
 */
import type { ClientBase } from "pg";
import { UserError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";

interface TableName {
  schema: string;
  name: string;
}

export const isRegistrations = (table: TableName | undefined): boolean =>
  table?.schema === "platform" && table.name === "databases";

/** Tables of the registry itself, whose rows tell of a registration and go with it. */
export const isOfRegistration = ({ schema, name }: TableName): boolean =>
  schema === "platform_private" && ["credential_rotations", "database_health_results"].includes(name);

const THERE = "SELECT pg_catalog.to_regclass('platform_private.credential_rotations') IS NOT NULL AS there";

const LEAVING = (condition: string, given: string): string => `
  SELECT d.id::pg_catalog.text AS id, d.name, COALESCE(d.username, 'default') AS "user",
         (SELECT r.new_username FROM platform_private.credential_rotations AS r
           WHERE r.database_id = d.id AND r.step IN ('made', 'proven')) AS "madeUser",
         CASE WHEN EXISTS (SELECT FROM platform_private.credential_rotations AS r
                            WHERE r.database_id = d.id AND r.switched_at IS NOT NULL)
              THEN platform_private.connection_string_of(d.id) IS DISTINCT FROM ${given} ELSE false END AS "isOnlyCopy"
    FROM platform.databases AS d WHERE ${condition}`;

interface Leaving {
  id: string;
  name: string;
  user: string;
  madeUser: string | null;
  isOnlyCopy: boolean;
}

/**
 * To be called before a registration is deleted.
 *
 * @param condition finds it, as d; `given` is the string that the program gives. Both with their parameters.
 * @throws {UserError} PS877 where no one else has the string that a rotation made.
 */
export async function refuseLossOfCredential(
  client: ClientBase,
  { condition, given, values }: { condition: string; given: string; values: (string | null)[] },
  warn: (message: string) => void,
): Promise<void> {
  const { rows: tables } = await client.query<{ there: boolean }>(THERE);
  if (tables[0]?.there !== true) return;
  const { rows } = await client.query<Leaving>(LEAVING(condition, given), values);
  for (const { id, name, user, madeUser, isOnlyCopy } of rows) {
    if (isOnlyCopy) {
      throw new UserError(
        "PS877",
        `"${visible(name)}" is not deleted: its credential was rotated, and the registry has the only copy of the one of user "${user}". Nothing was changed. ` +
          `Take it from there (select connection_string from platform.decrypt_databases('{${id}}')), give it to the program, and run \`pulumi up\` first. ` +
          `Where it may be lost: delete from platform_private.credential_rotations where database_id = '${id}'.`,
      );
    }
    if (madeUser !== null)
      warn(
        `"${visible(name)}": the user "${madeUser}", which a rotation that has not ended has made, stays in the service.`,
      );
  }
}
