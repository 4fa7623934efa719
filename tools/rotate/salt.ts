/**
 * Gives the registry's encryption a new salt while readers and writers go on, and ends a rotation that was
 * interrupted. How a ciphertext is made and opened is left to `sql/databases/20-encryption.sql`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase } from "pg";
import { UserError } from "../../provider/core/errors.ts";
import { codeOf } from "../../provider/database/connectionError.ts";
import { inTransaction } from "../../provider/database/transaction.ts";
import type { Change } from "../../provider/guard/guard.ts";
import type { Session } from "../../provider/resources/session.ts";

/** What a rotation has done. */
export interface RotatedSalt {
  /** Key version of all ciphertexts now. */
  version: number;
  /** Registrations that this run has encrypted anew. */
  rows: number;
  elapsedMs: number;
  /** Whether an earlier run had begun it. */
  isResumed: boolean;
}

/** Registrations of one transaction: a writer of one of them waits no longer than that takes. */
const BATCH = 200;
const PAUSE_MS = 100;

/** The salt is made by the server, so that it is in no statement. A second rotation finds the first one's. */
const BEGIN = `
  INSERT INTO platform_private.encryption_salts (name, version, salt)
  SELECT 'databases.next', s.version + 1, pg_catalog.encode(public.gen_random_bytes(48), 'hex')
    FROM platform_private.encryption_salts AS s WHERE s.name = 'databases'
  ON CONFLICT (name) DO NOTHING`;

const SALTS = `
  SELECT pg_catalog.max(version) FILTER (WHERE name = 'databases') AS current,
         pg_catalog.max(version) FILTER (WHERE name = 'databases.next') AS next
    FROM platform_private.encryption_salts`;

/** Of a registration d: whether it has a ciphertext of another key version than $1, or lacks one. */
const IS_OLD = `(
  d.connection_string_encrypted IS NULL
  OR platform_private.key_version(d.connection_string_encrypted) IS DISTINCT FROM $1::pg_catalog.int4
  OR d.password_encrypted IS NOT NULL AND platform_private.key_version(d.password_encrypted) IS DISTINCT FROM $1
  OR d.config_encrypted IS NOT NULL AND platform_private.key_version(d.config_encrypted) IS DISTINCT FROM $1)`;

/** Waits for no writer, so that none can wait for it in a circle. */
const PICK = `
  SELECT d.id FROM platform.databases AS d
   WHERE d.id > $2 AND ${IS_OLD} ORDER BY d.id LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED`;

/** The trigger keeps the secrets and encrypts them with the newest salt. */
const RENEW = `
  UPDATE platform.databases SET connection_string_encrypted = NULL, password_encrypted = NULL, config_encrypted = NULL
   WHERE id = ANY ($1::pg_catalog.uuid[])`;

const COUNT_OLD = `
  SELECT pg_catalog.count(*)::int AS count FROM platform.databases AS d
   WHERE ${IS_OLD} AND d.id <> ALL ($2::pg_catalog.uuid[])`;

/** Waits for the writers that still use the old salt. */
const LOCK_OLD = "SELECT FROM platform_private.encryption_salts WHERE name = 'databases' FOR UPDATE";

/** What rotations of credentials keep: few, and nothing that readers wait for. */
const RENEW_ROTATIONS = "SELECT platform_private.renew_rotation_secrets()";

const REPLACE_OLD = `
  UPDATE platform_private.encryption_salts AS s SET salt = n.salt, version = n.version, created_at = n.created_at
    FROM platform_private.encryption_salts AS n WHERE s.name = 'databases' AND n.name = 'databases.next'`;

/** The same salt under its other name. */
const END = "DELETE FROM platform_private.encryption_salts WHERE name = 'databases.next'";

const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/**
 * One transaction each: the new salt, which writers use from then on; batches of registrations; the end of
 * the old salt, when no registration has its key version any more.
 *
 * @param onProgress is told how many registrations are done.
 * @throws {UserError} PS302 where others hold registrations for too long, PS861 where one does not open. All
 *   salts that are in use are kept then, and the next run goes on.
 */
export function rotateSalt(
  session: Session,
  change: Change,
  onProgress: (rows: number) => void = () => {},
): Promise<RotatedSalt> {
  return session.guard.guarded(change, async (beforeChange) => {
    const startedMs = performance.now();
    beforeChange();
    const rotation = new Rotation(session, change);
    const { version, isResumed, isReplaced } = await rotation.begin();
    let rows = 0;
    if (!isReplaced) {
      for (let isLast = false; !isLast; isLast = await rotation.replaceOld(version)) {
        rows += await rotation.renewAll(version, (batch) => onProgress(rows + batch));
      }
    }
    await rotation.transaction((client) => client.query(END));
    return { version, rows, elapsedMs: performance.now() - startedMs, isResumed };
  });
}

class Rotation {
  private readonly session: Session;
  private readonly change: Change;
  /** Registrations whose ciphertext opens with no salt. */
  private readonly unreadable = new Set<string>();

  constructor(session: Session, change: Change) {
    this.session = session;
    this.change = change;
  }

  transaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const { database, config } = this.session;
    if (database === undefined) throw new UserError("PS602", "The URL of the database is not known.");
    const { signal } = this.change.context;
    // A row that a policy hides from us would keep the old salt.
    const whole = async (client: ClientBase): Promise<T> => {
      await client.query("SET LOCAL row_security = off");
      return work(client);
    };
    return inTransaction(database, config, whole, { signal });
  }

  async begin() {
    return this.transaction(async (client) => {
      const { rowCount } = await client.query(BEGIN);
      const { rows } = await client.query<{ current: number | null; next: number | null }>(SALTS);
      const { current = null, next = null } = rows[0] ?? {};
      if (current === null || next === null) {
        throw new UserError(
          "PS701",
          "The registry has no salt that could be replaced. Run `pulumi up`, which writes the first one.",
        );
      }
      return { version: next, isResumed: rowCount === 0, isReplaced: current === next };
    });
  }

  /** Until none is left that another session does not hold. */
  async renewAll(version: number, onProgress: (rows: number) => void): Promise<number> {
    const { lockLimitMs } = this.session.config;
    let rows = 0;
    let progressMs = performance.now();
    for (;;) {
      let lastId: string | undefined = FIRST_ID;
      while (lastId !== undefined) {
        const batch = await this.renewBatch(version, lastId);
        lastId = batch.lastId;
        if (batch.rows > 0) progressMs = performance.now();
        rows += batch.rows;
        onProgress(rows);
      }
      const left = await this.countOld(version);
      if (left === 0) break;
      if (performance.now() - progressMs > lockLimitMs) {
        throw new UserError(
          "PS302",
          `Other sessions hold ${left} registrations. The new salt is in use, and the old one is kept until they have it as well. ` +
            "Let those sessions end, and run `npm run rotate -- salt` again: it goes on from here.",
        );
      }
      await sleep(PAUSE_MS, undefined, { signal: this.change.context.signal });
    }
    this.refuseUnreadable();
    return rows;
  }

  /** @returns whether the old salt is gone; false where a late writer has used it once more. */
  replaceOld(version: number): Promise<boolean> {
    return this.transaction(async (client) => {
      await client.query(LOCK_OLD);
      if ((await this.oldIn(client, version)) > 0) return false;
      await client.query(RENEW_ROTATIONS);
      await client.query(REPLACE_OLD);
      return true;
    });
  }

  private renewBatch(version: number, after: string): Promise<{ rows: number; lastId: string | undefined }> {
    return this.transaction(async (client) => {
      const { rows } = await client.query<{ id: string }>(PICK, [version, after]);
      const ids = rows.map(({ id }) => id);
      if (ids.length === 0) return { rows: 0, lastId: undefined };
      const renewed = (await opens(client, ids)) ? ids.length : await this.renewSingly(client, ids);
      return { rows: renewed, lastId: ids.at(-1) };
    });
  }

  private async renewSingly(client: ClientBase, ids: readonly string[]): Promise<number> {
    let renewed = 0;
    for (const id of ids) {
      if (await opens(client, [id])) renewed += 1;
      else this.unreadable.add(id);
    }
    return renewed;
  }

  private countOld(version: number): Promise<number> {
    return this.transaction((client) => this.oldIn(client, version));
  }

  private async oldIn(client: ClientBase, version: number): Promise<number> {
    const { rows } = await client.query<{ count: number }>(COUNT_OLD, [version, [...this.unreadable]]);
    return rows[0]?.count ?? 0;
  }

  private refuseUnreadable(): void {
    if (this.unreadable.size === 0) return;
    const ids = [...this.unreadable];
    throw new UserError(
      "PS861",
      `${ids.length} registrations hold a ciphertext that no salt opens: ${ids.slice(0, 5).join(", ")}${ids.length > 5 ? ", …" : ""}. ` +
        "All others have the new salt, and the old one is kept. Write the secrets of these again, or delete them, and run `npm run rotate -- salt` again.",
    );
  }
}

/** `external_routine_invocation_exception`: a ciphertext is not its row's own, or was changed. */
const DOES_NOT_OPEN = "39000";

/** Encrypts registrations anew; false, and nothing changed, where one of them does not open. */
async function opens(client: ClientBase, ids: readonly string[]): Promise<boolean> {
  await client.query("SAVEPOINT pgstrata_batch");
  try {
    await client.query(RENEW, [ids]);
    await client.query("RELEASE SAVEPOINT pgstrata_batch");
    return true;
  } catch (error) {
    if (codeOf(error) !== DOES_NOT_OPEN) throw error;
    await client.query("ROLLBACK TO SAVEPOINT pgstrata_batch; RELEASE SAVEPOINT pgstrata_batch");
    return false;
  }
}
