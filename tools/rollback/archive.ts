/**
 * The registrations of the registry while it is rolled back: kept in the database itself, in one transaction
 * with their deletion. What is rolled back is left to `components.ts`.
 */
import type { ClientBase } from "pg";
import { z } from "zod";
import { quoteIdent } from "../../provider/catalog/quote.ts";
import { UserError } from "../../provider/core/errors.ts";
import { stackOf } from "../../provider/core/urn.ts";
import { codeOf } from "../../provider/database/connectionError.ts";
import { Ledger } from "../../provider/database/ledger.ts";
import { inTransaction } from "../../provider/database/transaction.ts";
import type { Change } from "../../provider/guard/guard.ts";
import type { Session } from "../../provider/resources/session.ts";

const row = z.record(z.string(), z.json());

/** Registrations that went together, with the salt that their ciphertexts hang on. */
const entry = z
  .object({
    archivedAt: z.string(),
    /** By key version, encrypted with the salt that the stack keeps; base64. */
    salts: z.record(z.string(), z.string()).optional(),
    /** The only one of an archive from before key versions. */
    salt: z.string().nullish(),
    /** As the table had them: secrets as ciphertext. */
    rows: z.array(row),
  })
  .transform(({ salt, salts, ...rest }) => ({ ...rest, salts: salts ?? (salt ? { "1": salt } : {}) }));
const archive = z.array(entry);

export type Archive = z.output<typeof archive>;
type ArchivedRow = z.output<typeof row>;
type Salts = Record<string, string>;

/** How a row came back; superseded is one of which there is a newer one. */
type Return = "inserted" | "updated" | "there already" | "superseded" | "not opened";

const note = (urn: string): Ledger => new Ledger(`${stackOf(urn)} archive of registrations`);

const LOCK = "LOCK TABLE platform.databases IN SHARE ROW EXCLUSIVE MODE";

/** All registrations as JSON, and the salts as the stack's own encrypts them. */
const READ = `
  SELECT coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(d) ORDER BY d.created_at, d.id) FROM platform.databases AS d), '[]') AS rows,
         (SELECT coalesce(pg_catalog.jsonb_object_agg(s.version, pg_catalog.encode(public.pgp_sym_encrypt(s.salt, $1, 'cipher-algo=aes256'), 'base64')), '{}')
            FROM platform_private.encryption_salts AS s WHERE s.name IN ('databases', 'databases.next')) AS salts`;

/**
 * Moves all registrations into the archive of the stack, in one transaction.
 *
 * @param key encrypts the salt: a secret that the stack keeps while the registry is gone.
 * @param withSalt whether the salt goes as well, because a destroy would leave it.
 * @returns how many there were.
 */
export async function archiveRegistrations(
  session: Session,
  change: Change,
  { key, withSalt }: { key: string; withSalt: boolean },
): Promise<number> {
  return changed(session, change, async (client, beforeChange) => {
    await client.query(LOCK);
    const { rows: found } = await client.query<{ rows: ArchivedRow[]; salts: Salts }>(READ, [key]);
    const { rows = [], salts = {} } = found[0] ?? {};
    if (rows.length > 0 || withSalt) beforeChange();
    if (rows.length > 0) {
      const ledger = note(change.context.urn);
      const earlier = parseArchive(await ledger.read(client));
      const text = JSON.stringify([...earlier, { archivedAt: new Date().toISOString(), salts, rows }]);
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

/** What of the archive is in the table again. */
export interface PutBack {
  inserted: number;
  /** Registrations of the program, which made them anew. */
  updated: number;
  /** Names of those that no salt opens. They stay in the archive. */
  notOpened: string[];
}

/**
 * Puts back what is archived: registrations that nobody has made again, and of the others their IDs and what
 * is not declared. The archive is emptied in the same transaction.
 *
 * @param key as it was given to the archive.
 */
export async function putBackRegistrations(session: Session, change: Change, key: string): Promise<PutBack> {
  return changed(session, change, async (client, beforeChange) => {
    const ledger = note(change.context.urn);
    const entries = parseArchive(await ledger.read(client));
    if (entries.length === 0) return { inserted: 0, updated: 0, notOpened: [] };
    beforeChange();
    await client.query(LOCK);
    await client.query(
      "INSERT INTO platform_private.encryption_salts (name, salt) VALUES ('databases', $1) ON CONFLICT DO NOTHING",
      [key],
    );
    const columns = await columnsOf(client);
    const returned: Record<Return, string[]> = {
      inserted: [],
      updated: [],
      "there already": [],
      superseded: [],
      "not opened": [],
    };
    const left: Archive = [];
    const ids = new Set<string>();
    const newer = new Set<string>();
    // The newest first: a registration that was archived twice comes back as it was at the end.
    for (const each of entries.toReversed()) {
      const stay: ArchivedRow[] = [];
      for (const one of each.rows) {
        const result = newer.has(keyOf(one))
          ? "superseded"
          : await putBack(client, columns, { row: one, salts: each.salts, key, ids: [...ids] });
        returned[result].push(String(one.name));
        if (result === "not opened") stay.push(one);
        else ids.add(String(one.id));
      }
      for (const one of each.rows) newer.add(keyOf(one));
      if (stay.length > 0) left.unshift({ ...each, rows: stay });
    }
    await ledger.write(client, left.length === 0 ? undefined : JSON.stringify(left));
    return {
      inserted: returned.inserted.length,
      updated: returned.updated.length,
      notOpened: returned["not opened"],
    };
  });
}

/** How many registrations are archived. */
export async function countArchived(session: Session, urn: string): Promise<number> {
  const { database } = session;
  if (database === undefined) return 0;
  const entries = parseArchive(await note(urn).read(await database.pool()));
  return entries.reduce((sum, { rows }) => sum + rows.length, 0);
}

/** Whether the registry stands. */
export async function hasRegistry(session: Session): Promise<boolean> {
  const pool = await session.database?.pool();
  const result = await pool?.query<{ there: boolean }>(
    "SELECT pg_catalog.to_regclass('platform.databases') IS NOT NULL AS there",
  );
  return result?.rows[0]?.there === true;
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

/** What a program knows a registration by; others may share it. */
const keyOf = ({ project_id, type, name }: ArchivedRow): string => JSON.stringify([project_id, type, name]);

/**
 * The same registration, by its ID, or by its key where the program has made it anew; $2 are those that came
 * out of the archive.
 */
const FIND = `
  SELECT d.id::pg_catalog.text AS id, d.id = a.id AS "isItself"
    FROM platform.databases AS d, pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a
   WHERE d.id = a.id
      OR (d.project_id, d.type, d.name) = (a.project_id, a.type, a.name) AND d.id <> ALL ($2::pg_catalog.uuid[])
   ORDER BY d.id = a.id DESC LIMIT 1`;

/** A secret of an archived row a, by the salt that was archived with it. */
const opened = (column: string): string =>
  `platform_private.decrypt_secret('${column}', a.id, a.project_id, a.${column}_encrypted, public.pgp_sym_decrypt(pg_catalog.decode(
     $2::pg_catalog.jsonb ->> platform_private.key_version(a.${column}_encrypted)::pg_catalog.text, 'base64'), $3))`;

/** What a program does not declare, or people change while the service runs. */
const UPDATE = `
  UPDATE platform.databases AS d
     SET id = a.id, created_at = a.created_at, status = a.status, health_check_status = a.health_check_status,
         last_health_check_at = a.last_health_check_at, health_check_error = a.health_check_error,
         password = ${opened("password")}
    FROM pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a
   WHERE d.id = $4::pg_catalog.uuid`;

interface Archived {
  row: ArchivedRow;
  salts: Salts;
  key: string;
  /** What has come out of the archive before it. */
  ids: string[];
}

async function putBack(
  client: ClientBase,
  columns: readonly string[],
  { row: one, salts, key, ids }: Archived,
): Promise<Return> {
  const json = JSON.stringify(one);
  const { rows } = await client.query<{ id: string; isItself: boolean }>(FIND, [json, ids]);
  const [found] = rows;
  if (found?.isItself) return "there already";
  const names = columns.filter((name) => name in one && !SECRET.includes(name)).map(quoteIdent);
  const insert = `
    INSERT INTO platform.databases (${names.join(", ")}, connection_string, password, config)
    SELECT ${names.map((name) => `a.${name}`).join(", ")}, ${opened("connection_string")}, ${opened("password")},
           coalesce(${opened("config")}::pg_catalog.jsonb, a.config)
      FROM pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a`;
  await client.query("SAVEPOINT pgstrata_row");
  try {
    const values = [json, JSON.stringify(salts), key];
    if (found === undefined) await client.query(insert, values);
    else await client.query(UPDATE, [...values, found.id]);
    await client.query("RELEASE SAVEPOINT pgstrata_row");
    return found === undefined ? "inserted" : "updated";
  } catch (error) {
    if (!isNotOpened(error)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT pgstrata_row; RELEASE SAVEPOINT pgstrata_row");
    return "not opened";
  }
}

/** Written by the trigger, from what is decrypted. */
const SECRET = ["connection_string", "password", "config"].flatMap((name) => [name, `${name}_encrypted`]);

/** A ciphertext that is changed, or has another key; a key version without a salt. */
const isNotOpened = (error: unknown): boolean => ["39000", "55000"].includes(codeOf(error) ?? "");

async function columnsOf(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_catalog.pg_attribute
      WHERE attrelid = 'platform.databases'::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
  );
  return rows.map(({ name }) => name);
}

/** @throws {UserError} for an archive that this version cannot read. */
export function parseArchive(text: string | undefined): Archive {
  if (text === undefined) return [];
  try {
    return archive.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      "PS836",
      "The archive of registrations was written by another version of pgstrata, or changed by hand. Use the version that wrote it.",
    );
  }
}
