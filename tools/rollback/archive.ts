/**
 * The registrations of the registry while it is rolled back: kept in the database itself, in one transaction
 * with their deletion. What is rolled back is left to `components.ts`, the form of the archive and the way
 * back into the table to `provider/registry/`.
 */
import type { ClientBase } from "pg";
import { UserError } from "../../provider/core/errors.ts";
import { inTransaction } from "../../provider/database/transaction.ts";
import type { Change } from "../../provider/guard/guard.ts";
import { type ArchivedRow, archiveOf, parseArchive, type Salts } from "../../provider/registry/archive.ts";
import { NOTHING_BACK, type PutBack, putBack } from "../../provider/registry/putBack.ts";
import type { Session } from "../../provider/resources/session.ts";
import { refuseReferences, withoutProject } from "./obstacles.ts";

const lockOf = (tables: readonly string[]): string => `LOCK TABLE ${tables.join(", ")} IN SHARE ROW EXCLUSIVE MODE`;

const ROTATIONS = "platform_private.credential_rotations";

/** A registry that an earlier version made has no rotations. */
const TABLES = `
  SELECT CASE WHEN pg_catalog.to_regclass('${ROTATIONS}') IS NULL THEN ARRAY['platform.databases']
              ELSE ARRAY['platform.databases', '${ROTATIONS}'] END AS tables`;

/** All registrations and their rotations as JSON, and the salts as the stack's own encrypts them. */
const readOf = (tables: readonly string[]): string => `
  SELECT coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(d) ORDER BY d.created_at, d.id) FROM platform.databases AS d), '[]') AS rows,
         ${tables.includes(ROTATIONS) ? `coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r) ORDER BY r.intended_at, r.id) FROM ${ROTATIONS} AS r), '[]')` : "'[]'::pg_catalog.jsonb"} AS rotations,
         (SELECT coalesce(pg_catalog.jsonb_object_agg(s.version, pg_catalog.encode(public.pgp_sym_encrypt(s.salt, $1, 'cipher-algo=aes256'), 'base64')), '{}')
            FROM platform_private.encryption_salts AS s WHERE s.name IN ('databases', 'databases.next')) AS salts`;

interface Found {
  rows: ArchivedRow[];
  rotations: ArchivedRow[];
  salts: Salts;
}

/**
 * Moves all registrations, with the rotations of their credentials, into the archive of the stack, in one
 * transaction.
 *
 * @param key encrypts the salt: a secret that the stack keeps while the registry is gone.
 * @param withSalt whether the salt goes as well, because a destroy would leave it.
 * @param adopted IDs of registrations that were there before the program declared them.
 * @param own tables that go with the registry.
 * @returns how many there were.
 */
export async function archiveRegistrations(
  session: Session,
  change: Change,
  {
    key,
    withSalt,
    adopted,
    own,
  }: { key: string; withSalt: boolean; adopted: readonly string[]; own: readonly string[] },
): Promise<number> {
  return changed(session, change, async (client, beforeChange) => {
    const tables = await lockTables(client);
    await refuseReferences(client, own);
    const { rows: found } = await client.query<Found>(readOf(tables), [key]);
    const { rows = [], rotations = [], salts = {} } = found[0] ?? {};
    if (rows.length > 0 || withSalt) beforeChange();
    if (rows.length > 0) {
      const ledger = archiveOf(change.context.urn);
      const earlier = parseArchive(await ledger.read(client));
      const text = JSON.stringify([
        ...earlier,
        { archivedAt: new Date().toISOString(), salts, rows, rotations, adopted },
      ]);
      await ledger.write(client, text);
      if ((await ledger.read(client)) !== text) {
        throw new UserError(
          "PS836",
          `The ${rows.length} registrations cannot be archived: the database keeps no large object of this role. Nothing was changed. ` +
            "Let the role create large objects, or delete the registrations yourself first.",
        );
      }
      await client.query("DELETE FROM platform.databases");
      // Of a rotation that was interrupted; no program would remove it.
      await client.query("DELETE FROM platform_private.encryption_salts WHERE name = 'databases.next'");
    }
    if (withSalt) await client.query("DELETE FROM platform_private.encryption_salts WHERE name = 'databases'");
    return rows.length;
  });
}

/**
 * Puts back what is archived. What cannot come back stays in the archive for the next undo, and the others
 * leave it in the same transaction.
 *
 * @param key as it was given to the archive.
 */
export async function putBackRegistrations(session: Session, change: Change, key: string): Promise<PutBack> {
  return changed(session, change, async (client, beforeChange) => {
    const ledger = archiveOf(change.context.urn);
    if (parseArchive(await ledger.read(client)).length === 0) return NOTHING_BACK;
    beforeChange();
    await lockTables(client);
    // A deferred constraint would refuse all of them at the end.
    await client.query("SET CONSTRAINTS ALL IMMEDIATE");
    await client.query(
      "INSERT INTO platform_private.encryption_salts (name, salt) VALUES ('databases', $1) ON CONFLICT DO NOTHING",
      [key],
    );
    return putBack(client, ledger, key);
  });
}

/** How many registrations are archived, and the names of those whose project is gone. */
export async function readArchive(session: Session, urn: string): Promise<{ count: number; orphans: string[] }> {
  const { database } = session;
  if (database === undefined) return { count: 0, orphans: [] };
  const pool = await database.pool();
  const rows = parseArchive(await archiveOf(urn).read(pool)).flatMap((each) => each.rows);
  return { count: rows.length, orphans: rows.length === 0 ? [] : await withoutProject(pool, rows) };
}

/** Whether the registry stands. */
export async function hasRegistry(session: Session): Promise<boolean> {
  const pool = await session.database?.pool();
  const result = await pool?.query<{ there: boolean }>(
    "SELECT pg_catalog.to_regclass('platform.databases') IS NOT NULL AS there",
  );
  return result?.rows[0]?.there === true;
}

/** A step of a rotation that is noted meanwhile would be lost. */
async function lockTables(client: ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ tables: string[] }>(TABLES);
  const tables = rows[0]?.tables ?? [];
  await client.query(lockOf(tables));
  return tables;
}

function changed<T>(
  session: Session,
  change: Change,
  work: (client: ClientBase, beforeChange: () => void) => Promise<T>,
): Promise<T> {
  const { database, config, guard } = session;
  if (database === undefined) throw new Error("the URL of the database is not known");
  return guard.guarded(change, (beforeChange) =>
    inTransaction(database, config, async (client) => {
      // A row that a policy hides from us would be lost: rather an error.
      await client.query("SET LOCAL row_security = off");
      return work(client, beforeChange);
    }),
  );
}
