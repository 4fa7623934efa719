/** The connection string that is registered in the place of one that was rotated away. */
import type pg from "pg";
import { codeOf } from "../database/connectionError.ts";

/** What a program knows a registration by. */
export interface RegistrationKey {
  project: string;
  type: string;
  name: string;
}

export interface Replacement {
  /** Secret. */
  connectionString: string;
  /** What was rotated away, when, and which user took its place. */
  note: string;
}

const ASK = `
  SELECT d.id::pg_catalog.text AS id, platform_private.rotation_note(d.id, $4) AS note
    FROM platform.databases AS d WHERE d.project_id::pg_catalog.text = $1 AND d.type = $2 AND d.name = $3 LIMIT 2`;

/** The secret leaves the database, which notes it. */
const OPEN = `
  SELECT s.connection_string AS "connectionString" FROM platform.decrypt_databases(ARRAY[$1::pg_catalog.uuid]) AS s`;

/** SQLSTATEs of what a layer is still to create. */
const ABSENT = ["42P01", "3F000", "42703", "42883"];

/** @returns undefined where the given string was not rotated away, or there is no registration yet. */
export async function askReplacement(
  pool: pg.Pool,
  { project, type, name }: RegistrationKey,
  given: string,
): Promise<Replacement | undefined> {
  const asked = pool.query<{ id: string; note: string | null }>(ASK, [project, type, name, given]);
  const { rows } = await asked.catch((error: unknown) => {
    if (ABSENT.includes(codeOf(error) ?? "")) return { rows: [] };
    throw error;
  });
  const [found] = rows;
  if (found === undefined || found.note === null || rows.length > 1) return undefined;
  const opened = await pool.query<{ connectionString: string | null }>(OPEN, [found.id]);
  const connectionString = opened.rows[0]?.connectionString ?? undefined;
  return connectionString === undefined ? undefined : { connectionString, note: found.note };
}
