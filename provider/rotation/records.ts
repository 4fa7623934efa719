/**
 * What the target keeps of rotations, and how each step is noted there. What a step does to a service is left
 * to `steps.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { UserError } from "../core/errors.ts";

/** The last step of a rotation that is done; `ended` and `abandoned` are the ends. */
export type RotationStep = "intended" | "made" | "proven" | "switched" | "disabled" | "ended" | "abandoned";

/** A registration as the registry has it. */
export interface Registration {
  id: string;
  name: string;
  type: string;
  /** Secret. */
  connectionString: string;
  /** Settings of the client; secret, as some are. */
  config: Readonly<Record<string, unknown>>;
  /** Whether the registry keeps a password beside the connection string. */
  hasPassword: boolean;
  /** Undefined where none is open. */
  rotation: OpenRotation | undefined;
}

/** A rotation that has not ended. */
export interface OpenRotation {
  id: string;
  step: RotationStep;
  oldUser: string;
  newUser: string;
  /** The user before all rotations. */
  group: string;
  /** The new connection string. Secret. */
  successor: string;
  /** Whether the registry has the string that the rotation started from. */
  isStartRegistered: boolean;
  /** When the old credential may be disabled, as ISO 8601; undefined before the switch. */
  graceEndsAt: string | undefined;
  isGraceOver: boolean;
}

/** The same for every run on one registration; the first half of the key is `pgsr` in ASCII. */
const KEY = `${0x70677372}, pg_catalog.hashtext($1)`;
const TRY_LOCK = `SELECT pg_catalog.pg_try_advisory_lock(${KEY}) AS locked`;
const UNLOCK = `SELECT pg_catalog.pg_advisory_unlock(${KEY})`;
/** The server may still hold the lock of a run that has just ended. */
const LOCK_WAIT_MS = 3000;

/** Registrations by name or id; no secret. */
const FIND = `
  SELECT id::pg_catalog.text, name, type FROM platform.databases
   WHERE id::pg_catalog.text = $1 OR name = $1 ORDER BY id`;

/** The secrets leave the database, which notes it. */
const READ = `
  SELECT d.id::pg_catalog.text, d.name, d.type, s.connection_string AS "connectionString", s.config,
         d.password_encrypted IS NOT NULL AS "hasPassword",
         CASE WHEN r.id IS NOT NULL THEN pg_catalog.jsonb_build_object(
           'id', r.id, 'step', r.step, 'oldUser', r.old_username, 'newUser', r.new_username, 'group', r.group_name,
           'successor', platform_private.successor_of(r),
           'isStartRegistered', platform_private.is_replaced_by(r, s.connection_string),
           'graceEndsAt', pg_catalog.to_char((r.switched_at + r.grace) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'isGraceOver', COALESCE(r.switched_at + r.grace <= pg_catalog.now(), false)) END AS rotation
    FROM platform.databases AS d
    JOIN LATERAL platform.decrypt_databases(ARRAY[d.id]) AS s ON true
    LEFT JOIN platform_private.credential_rotations AS r
      ON r.database_id = d.id AND r.step NOT IN ('ended', 'abandoned')
   WHERE d.id = $1`;

/** The group of a user that a rotation made. */
const GROUP = `
  SELECT group_name AS "group" FROM platform_private.credential_rotations
   WHERE database_id = $1 AND new_username = $2 AND switched_at IS NOT NULL ORDER BY switched_at DESC LIMIT 1`;

const SHARERS = `
  SELECT id::pg_catalog.text, name, project_id::pg_catalog.text AS "projectId", is_same_address AS "isSameAddress"
    FROM platform_private.registrations_sharing($1, $2)`;

const BEGIN = `
  SELECT platform_private.begin_rotation($1, $2, $3, $4, $5, pg_catalog.make_interval(secs => $6)) IS NOT NULL AS begun`;

const NOTE_GRACE = `
  UPDATE platform_private.credential_rotations AS r SET grace = pg_catalog.make_interval(secs => $2)
   WHERE r.database_id = $1 AND r.step NOT IN ('disabled', 'ended', 'abandoned')
     AND r.grace <> pg_catalog.make_interval(secs => $2)`;

const NOTE = `
  UPDATE platform_private.credential_rotations AS r
     SET step = $2,
         made_at = CASE WHEN $2 = 'made' THEN pg_catalog.now() ELSE r.made_at END,
         proven_at = CASE WHEN $2 = 'proven' THEN pg_catalog.now() ELSE r.proven_at END,
         switched_at = CASE WHEN $2 = 'switched' THEN pg_catalog.now() ELSE r.switched_at END,
         disabled_at = CASE WHEN $2 = 'disabled' THEN pg_catalog.now() ELSE r.disabled_at END,
         ended_at = CASE WHEN $2 IN ('ended', 'abandoned') THEN pg_catalog.now() ELSE r.ended_at END,
         successor_encrypted = CASE WHEN $2 NOT IN ('ended', 'abandoned') THEN r.successor_encrypted END
   WHERE r.id = $1`;

/** Only while the registry has the string that the rotation started from. */
const SWITCH = `
  UPDATE platform.databases AS d
     SET connection_string = platform_private.successor_of(r), username = r.new_username, password = $2
    FROM platform_private.credential_rotations AS r
   WHERE r.id = $1 AND d.id = r.database_id AND r.step = 'proven'
     AND platform_private.is_replaced_by(r, platform_private.connection_string_of(d.id))`;

const LOCK_REGISTRATION = `
  SELECT FROM platform.databases AS d WHERE d.id =
    (SELECT r.database_id FROM platform_private.credential_rotations AS r WHERE r.id = $1) FOR UPDATE`;

/** @returns false where another session has it. The lock ends with the connection at the latest. */
export async function lockRotation(client: pg.ClientBase, registrationId: string): Promise<boolean> {
  for (const endMs = performance.now() + LOCK_WAIT_MS; ; await sleep(100)) {
    const { rows } = await client.query<{ locked: boolean }>(TRY_LOCK, [registrationId]);
    if (rows[0]?.locked === true) return true;
    if (performance.now() > endMs) return false;
  }
}

export async function unlockRotation(client: pg.ClientBase, registrationId: string): Promise<void> {
  await client.query(UNLOCK, [registrationId]);
}

/** @throws {UserError} PS871 where none or several have that name. */
export async function findRegistration(client: pg.ClientBase | pg.Pool, nameOrId: string): Promise<string> {
  const { rows } = await client.query<{ id: string; name: string; type: string }>(FIND, [nameOrId]);
  const [found] = rows;
  if (found !== undefined && rows.length === 1) return found.id;
  const seen = rows.map(({ id, type }) => `${id} (${type})`).join(", ");
  throw new UserError(
    "PS871",
    found === undefined
      ? `The registry has no registration "${nameOrId}". Expected the name or the id of one; \`npm run health\` lists them.`
      : `"${nameOrId}" is the name of ${rows.length} registrations: ${seen}. Give the id of the one that is meant.`,
  );
}

export async function readRegistration(client: pg.ClientBase, id: string): Promise<Registration | undefined> {
  const { rows } = await client.query<Omit<Registration, "rotation"> & { rotation: OpenRotation | null }>(READ, [id]);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { rotation } = row;
  return {
    ...row,
    config: row.config ?? {},
    rotation: rotation === null ? undefined : { ...rotation, graceEndsAt: rotation.graceEndsAt ?? undefined },
  };
}

/** The user before all rotations; the user itself where no rotation made it. */
export async function groupOf(client: pg.ClientBase, registrationId: string, user: string): Promise<string> {
  return (await client.query<{ group: string }>(GROUP, [registrationId, user])).rows[0]?.group ?? user;
}

/** A registration of the same service and user. */
export interface Sharer {
  id: string;
  name: string;
  projectId: string;
  /** Whether it has the same host and port; else the same password at another address. */
  isSameAddress: boolean;
}

export async function sharersOf(client: pg.ClientBase, registrationId: string, user: string): Promise<Sharer[]> {
  return (await client.query<Sharer>(SHARERS, [registrationId, user])).rows;
}

export interface Intent {
  registrationId: string;
  oldUser: string;
  newUser: string;
  group: string;
  /** Secret. */
  successor: string;
  graceMs: number;
}

/** @returns false where a rotation is open already. */
export async function noteIntent(client: pg.ClientBase, intent: Intent): Promise<boolean> {
  const { registrationId, oldUser, newUser, group, successor, graceMs } = intent;
  const values = [registrationId, oldUser, newUser, group, successor, graceMs / 1000];
  return (await client.query<{ begun: boolean }>(BEGIN, values)).rows[0]?.begun === true;
}

/** @returns whether a rotation is open that had another grace time. */
export async function noteGrace(client: pg.ClientBase, registrationId: string, graceMs: number): Promise<boolean> {
  return (await client.query(NOTE_GRACE, [registrationId, graceMs / 1000])).rowCount === 1;
}

export async function noteStep(client: pg.ClientBase, rotationId: string, step: RotationStep): Promise<void> {
  await client.query(NOTE, [rotationId, step]);
}

/**
 * The registry has the new credential, and the rotation says so: both or neither.
 *
 * @param password of the new credential, where the registry keeps one of its own.
 * @returns false where a person has registered another string meanwhile.
 */
export async function switchRegistration(
  client: pg.ClientBase,
  rotationId: string,
  password: string | undefined,
): Promise<boolean> {
  await client.query(LOCK_REGISTRATION, [rotationId]);
  const { rowCount } = await client.query(SWITCH, [rotationId, password ?? null]);
  if (rowCount !== 1) return false;
  await noteStep(client, rotationId, "switched");
  return true;
}
