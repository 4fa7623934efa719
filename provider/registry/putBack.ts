/**
 * How archived registrations come back into the registry, with the rotations of their credentials: what is
 * encrypted is opened with the salts of its time, and encrypted anew.
 */
import type { ClientBase } from "pg";
import { quoteIdent } from "../catalog/quote.ts";
import { codeOf } from "../database/connectionError.ts";
import { describeDatabaseError } from "../database/databaseError.ts";
import type { Ledger } from "../database/ledger.ts";
import { type Archive, type ArchivedRow, keyOf, parseArchive, type Salts } from "./archive.ts";

/** What of the archive is in the table again. */
export interface PutBack {
  inserted: number;
  /** Registrations of the program, which made them anew. */
  updated: number;
  /** Rotations of credentials that came back with them. */
  rotations: number;
  /** Names of those that no salt opens. They stay in the archive. */
  notOpened: string[];
  /** Those that the table does not take any more, with its reasons. They stay in the archive. */
  refused: { name: string; reason: string }[];
}

export const NOTHING_BACK: PutBack = { inserted: 0, updated: 0, rotations: 0, notOpened: [], refused: [] };

/** How a row came back; superseded is one of which there is a newer one. */
type Return = "inserted" | "updated" | "there already" | "superseded" | "not opened";

/**
 * Puts back what is archived: registrations that nobody has made again, and of the others their IDs and what
 * is not declared. A connection string that was rotated away gives way to the one that took its place. What
 * is back leaves the archive in the same transaction.
 *
 * @param key as it was given to the archive; undefined for the salt that the registry has.
 * @param only the registrations of this {@link keyOf}.
 */
export async function putBack(
  client: ClientBase,
  ledger: Ledger,
  key: string | undefined,
  only?: string,
): Promise<PutBack> {
  const entries = parseArchive(await ledger.read(client));
  const columns = await columnsOf(client);
  const returned: Record<Return, string[]> = {
    inserted: [],
    updated: [],
    "there already": [],
    superseded: [],
    "not opened": [],
  };
  const refused: PutBack["refused"] = [];
  const left: Archive = [];
  const ids = new Set<string>();
  const newer = new Set<string>();
  let count = 0;
  // The newest first: a registration that was archived twice comes back as it was at the end.
  for (const each of entries.toReversed()) {
    const stay: ArchivedRow[] = [];
    for (const one of each.rows) {
      if (only !== undefined && keyOf(one) !== only) {
        stay.push(one);
        continue;
      }
      const rotations = each.rotations.filter(({ database_id }) => database_id === one.id);
      const archived = { row: one, rotations, salts: each.salts, key, ids: [...ids] };
      const result = await putBackOne(client, columns, archived, newer.has(keyOf(one)));
      const name = String(one.name);
      if (typeof result !== "string") refused.push({ name, reason: result.refusal });
      else returned[result].push(name);
      if (result === "not opened" || typeof result !== "string") stay.push(one);
      else {
        ids.add(String(one.id));
        if (result !== "there already") count += rotations.length;
      }
    }
    for (const one of each.rows) newer.add(keyOf(one));
    const staying = each.rotations.filter(({ database_id }) => stay.some(({ id }) => id === database_id));
    if (stay.length > 0) left.unshift({ ...each, rows: stay, rotations: staying });
  }
  await ledger.write(client, left.length === 0 ? undefined : JSON.stringify(left));
  return {
    inserted: returned.inserted.length,
    updated: returned.updated.length,
    rotations: count,
    notOpened: returned["not opened"],
    refused,
  };
}

interface Archived {
  row: ArchivedRow;
  rotations: readonly ArchivedRow[];
  salts: Salts;
  key: string | undefined;
  /** What has come out of the archive before it. */
  ids: string[];
}

async function putBackOne(
  client: ClientBase,
  columns: readonly string[],
  archived: Archived,
  isSuperseded: boolean,
): Promise<Return | { refusal: string }> {
  const { row: one, salts, key, ids } = archived;
  const json = JSON.stringify(one);
  const { rows } = await client.query<{ id: string; isItself: boolean }>(FIND, [json, isSuperseded ? [] : ids]);
  const [found] = rows;
  if (found?.isItself) return "there already";
  if (isSuperseded && (found === undefined || archived.rotations.length === 0)) return "superseded";
  const values = [json, JSON.stringify(salts), key ?? null];
  await client.query("SAVEPOINT pgstrata_row");
  try {
    if (found === undefined) await client.query(insertOf(one, columns), values);
    else if (!isSuperseded) await client.query(UPDATE, [...values, found.id]);
    const id = isSuperseded && found !== undefined ? found.id : String(one.id);
    await putBackRotations(client, archived, id);
    if (found !== undefined) await client.query(REPLACE_ROTATED, [...values, id]);
    await client.query("RELEASE SAVEPOINT pgstrata_row");
    if (isSuperseded) return "superseded";
    return found === undefined ? "inserted" : "updated";
  } catch (error) {
    const refusal = refusalOf(error);
    if (!isNotOpened(error) && refusal === undefined) throw error;
    await client.query("ROLLBACK TO SAVEPOINT pgstrata_row; RELEASE SAVEPOINT pgstrata_row");
    return refusal === undefined ? "not opened" : { refusal };
  }
}

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

/** What opens the salts of the archive. */
const KEY = `COALESCE($3::pg_catalog.text, (SELECT s.salt FROM platform_private.encryption_salts AS s WHERE s.name = 'databases'))`;

/** The salt of a ciphertext, of those that were archived with it. */
const saltOf = (ciphertext: string): string =>
  `public.pgp_sym_decrypt(pg_catalog.decode(
     $2::pg_catalog.jsonb ->> platform_private.key_version(${ciphertext})::pg_catalog.text, 'base64'), ${KEY})`;

/** A secret of an archived row a. */
const opened = (column: string): string =>
  `platform_private.decrypt_secret('${column}', a.id, a.project_id, a.${column}_encrypted, ${saltOf(`a.${column}_encrypted`)})`;

/** What a program does not declare. What hangs on the ID that the registration has now moves along. */
const UPDATE = `
  WITH rotations AS (
    UPDATE platform_private.credential_rotations AS r SET database_id = a.id
      FROM pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a WHERE r.database_id = $4::pg_catalog.uuid
  ), health AS (
    UPDATE platform_private.database_health_results AS h SET database_id = a.id
      FROM pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a WHERE h.database_id = $4::pg_catalog.uuid
  )
  UPDATE platform.databases AS d
     SET id = a.id, created_at = a.created_at, health_check_status = a.health_check_status,
         last_health_check_at = a.last_health_check_at, health_check_error = a.health_check_error,
         password = ${opened("password")}
    FROM pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a
   WHERE d.id = $4::pg_catalog.uuid`;

/** A program gives the string of before all rotations. One that a person gives anew stays. */
const REPLACE_ROTATED = `
  UPDATE platform.databases AS d
     SET connection_string = ${opened("connection_string")}, username = a.username, password = ${opened("password")}
    FROM pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a
   WHERE d.id = $4::pg_catalog.uuid
     AND platform_private.rotation_note(d.id, platform_private.connection_string_of(d.id)) IS NOT NULL`;

function insertOf(one: ArchivedRow, columns: readonly string[]): string {
  const names = columns.filter((name) => name in one && !SECRET.includes(name)).map(quoteIdent);
  return `
    INSERT INTO platform.databases (${names.join(", ")}, connection_string, password, config)
    SELECT ${names.map((name) => `a.${name}`).join(", ")}, ${opened("connection_string")}, ${opened("password")},
           coalesce(${opened("config")}::pg_catalog.jsonb, a.config)
      FROM pg_catalog.jsonb_populate_record(NULL::platform.databases, $1) AS a`;
}

/** What of a rotation is not encrypted, and does not depend on the others of its registration. */
const NOTES = [
  ...["id", "project_id", "old_username", "new_username", "group_name", "grace"],
  ...["intended_at", "made_at", "proven_at", "switched_at", "disabled_at", "ended_at"],
];

const renewed = (name: string): string =>
  `platform_private.encrypt_secret('rotation.${name}', a.id, a.project_id, platform_private.decrypt_secret(
     'rotation.${name}', a.id, a.project_id, a.${name}_encrypted, ${saltOf(`a.${name}_encrypted`)}))`;

/** One that is open is given up where another one has begun meanwhile. */
const INSERT_ROTATIONS = `
  INSERT INTO platform_private.credential_rotations
         (${NOTES.join(", ")}, database_id, step, successor_encrypted, replaced_encrypted)
  SELECT ${NOTES.map((name) => `a.${name}`).join(", ")}, $4::pg_catalog.uuid,
         CASE WHEN a.is_second THEN 'abandoned' ELSE a.step END,
         CASE WHEN NOT a.is_second THEN ${renewed("successor")} END,
         ${renewed("replaced")}
    FROM (SELECT r.*, r.step NOT IN ('ended', 'abandoned') AND EXISTS (
            SELECT FROM platform_private.credential_rotations AS o
             WHERE o.database_id = $4::pg_catalog.uuid AND o.step NOT IN ('ended', 'abandoned')) AS is_second
            FROM pg_catalog.jsonb_populate_recordset(NULL::platform_private.credential_rotations, $1) AS r) AS a
  ON CONFLICT (id) DO NOTHING`;

async function putBackRotations(
  client: ClientBase,
  { rotations, salts, key }: Archived,
  registrationId: string,
): Promise<void> {
  if (rotations.length === 0) return;
  await client.query(INSERT_ROTATIONS, [JSON.stringify(rotations), JSON.stringify(salts), key ?? null, registrationId]);
}

/** Written by the trigger, from what is decrypted. */
const SECRET = ["connection_string", "password", "config"].flatMap((name) => [name, `${name}_encrypted`]);

/** A ciphertext that is changed, or has another key; a key version without a salt. */
const isNotOpened = (error: unknown): boolean => ["39000", "55000"].includes(codeOf(error) ?? "");

/** Why a table does not take a row: a constraint, a value that no longer fits, a trigger. */
function refusalOf(error: unknown): string | undefined {
  const sqlstate = codeOf(error) ?? "";
  if (sqlstate.startsWith("23")) return describeDatabaseError(error)?.message;
  // What the server says of these may hold values.
  return /^(22|44|P0)/.test(sqlstate) ? `the database refuses it with SQLSTATE ${sqlstate}.` : undefined;
}

async function columnsOf(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_catalog.pg_attribute
      WHERE attrelid = 'platform.databases'::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
  );
  return rows.map(({ name }) => name);
}
