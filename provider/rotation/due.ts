/** What the target says of the next step of a registration, without a connection to its service. */
import type pg from "pg";
import { codeOf } from "../database/connectionError.ts";

/** The next step of a rotation, or the next rotation. */
export interface Due {
  /** Whether a run may do it now. */
  isDue: boolean;
  /** Whether it begins a rotation. */
  begins: boolean;
  /** For a preview. */
  what: string;
  /** The user that is registered; empty where the registry has none. */
  user: string;
  /** When its credential was registered by a rotation, as ISO 8601; empty before the first one. */
  rotatedAt: string;
}

const ASK = `
  SELECT COALESCE(d.username, '') AS "user", r.step, r.old_username AS "oldUser", r.new_username AS "newUser",
         COALESCE(r.switched_at + g.grace <= pg_catalog.now(), false) AS "isGraceOver",
         COALESCE(g.grace <> r.grace, false) AS "hasNewGrace",
         COALESCE(l.switched_at, d.created_at) + pg_catalog.make_interval(secs => $2) <= pg_catalog.now() AS "isOld",
         COALESCE(pg_catalog.to_char(l.switched_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '') AS "rotatedAt"
    FROM platform.databases AS d
    LEFT JOIN platform_private.credential_rotations AS r
      ON r.database_id = d.id AND r.step NOT IN ('ended', 'abandoned')
   CROSS JOIN LATERAL (
      SELECT COALESCE(pg_catalog.make_interval(secs => $3), r.grace) AS grace) AS g
    LEFT JOIN LATERAL (
      SELECT pg_catalog.max(s.switched_at) AS switched_at FROM platform_private.credential_rotations AS s
       WHERE s.database_id = d.id) AS l ON true
   WHERE d.id::pg_catalog.text = $1`;

interface Row {
  user: string;
  step: string | null;
  oldUser: string | null;
  newUser: string | null;
  isGraceOver: boolean;
  hasNewGrace: boolean;
  isOld: boolean | null;
  rotatedAt: string;
}

/** SQLSTATEs of what a layer is still to create. */
const ABSENT = ["42P01", "3F000", "42703"];

/**
 * @param everyMs how old a credential may become; undefined for ever.
 * @param graceMs what is to be the grace time of a rotation that is open; undefined for its own.
 * @returns undefined where the registration, or the table of rotations, is not there yet.
 */
export async function askDue(
  pool: pg.Pool | pg.ClientBase,
  registrationId: string,
  everyMs: number | undefined,
  graceMs?: number | undefined,
): Promise<Due | undefined> {
  const [every, grace] = [everyMs, graceMs].map((ms) => (ms === undefined ? null : ms / 1000));
  const { rows } = await pool.query<Row>(ASK, [registrationId, every, grace]).catch((error: unknown) => {
    if (ABSENT.includes(codeOf(error) ?? "")) return { rows: [] };
    throw error;
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  const { user, rotatedAt, step, oldUser, newUser } = row;
  const known = { user, rotatedAt };
  if (step === null) {
    const what = "its credential is due: a new user is made and registered";
    return { ...known, isDue: row.isOld === true, begins: true, what };
  }
  if (step === "switched") {
    return {
      ...known,
      isDue: row.isGraceOver || row.hasNewGrace,
      begins: false,
      what: row.isGraceOver
        ? `the grace time of "${oldUser}" is over: it is disabled`
        : `the grace time of "${oldUser}" is another one`,
    };
  }
  const what =
    step === "disabled" ? `"${oldUser}" is dropped` : `the rotation to "${newUser}" goes on after the step "${step}"`;
  return { ...known, isDue: true, begins: false, what };
}
