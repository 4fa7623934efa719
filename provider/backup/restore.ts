/**
 * How a backup becomes a database beside the target, with the rows that were counted, and then takes its
 * name. Which backup and which stack, and what a person is asked, is left to the command.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { quoteIdent } from "../catalog/quote.ts";
import { UserError } from "../core/errors.ts";
import type { Database } from "../database/target.ts";
import { sha256Of } from "./backupFiles.ts";
import { databaseLocale } from "./databaseLocale.ts";
import { copySettings } from "./databaseSettings.ts";
import { restoreNames } from "./leftDatabases.ts";
import { libpqAccess } from "./libpq.ts";
import { restoreInto, UnusableDump } from "./pgRestore.ts";
import { requirePgTools } from "./pgTools.ts";
import { rowsIn } from "./proof.ts";
import type { DumpRecord, Stored } from "./record.ts";
import { differences } from "./tableRows.ts";

/** What will be done, so that it can be said beforehand. */
export interface RestorePlan {
  /** The new database, once it is complete. */
  into: string;
  /** Its name until then, which tells of a restore that has not ended. */
  restoring: string;
  /** The name that the present one gets; undefined where it cannot be swapped. */
  keptAs: string | undefined;
  /** Why it is not swapped. */
  reason: string | undefined;
  /** Owners are those of the dump; else all belongs to the connecting role. */
  hasOwners: boolean;
  sessions: number;
}

export interface RestoreOptions {
  projectDirectory: string;
  signal: AbortSignal;
  /** Called with each stage as it begins. */
  onStage: (name: string) => void;
}

const PRIVILEGES = `
  select r.rolsuper as super, r.rolsuper or r.rolcreatedb as "mayCreate",
         r.rolsuper or (r.rolcreatedb and pg_catalog.pg_has_role(r.rolname, d.datdba, 'USAGE')) as "mayRename",
         (select coalesce(pg_catalog.array_agg(name), '{}') from pg_catalog.unnest($2::pg_catalog.text[]) as name
           where not exists (select from pg_catalog.pg_roles where rolname = name)) as missing,
         r.rolsuper or not exists (select from pg_catalog.pg_roles o where o.rolname = any($2::pg_catalog.text[])
           and not pg_catalog.pg_has_role(r.rolname, o.oid, 'MEMBER')) as "mayOwn",
         (select pg_catalog.count(*)::pg_catalog.int4 from pg_catalog.pg_stat_activity a
           where a.datname = d.datname and a.backend_type = 'client backend') as sessions
    from pg_catalog.pg_roles r, pg_catalog.pg_database d where r.rolname = current_user and d.datname = $1`;

interface PrivilegesRow {
  super: boolean;
  mayCreate: boolean;
  mayRename: boolean;
  missing: string[];
  mayOwn: boolean;
  sessions: number;
}

/** A database that is there on each server, to be connected to while another one is renamed. */
const NEUTRAL = ["postgres", "template1"];
const SESSIONS_END_MS = 10_000;
const ENDED_AGAIN_MS = 100;

/**
 * Whether the files are as they were written.
 *
 * @throws {UserError}
 */
export async function checkFiles({ folder, record }: Stored): Promise<void> {
  if (record.mode !== "dump") return;
  const path = join(folder, record.file);
  const { size } = await stat(path);
  if (size === record.sizeBytes && (await sha256Of(path)) === record.sha256) return;
  throw new UserError(
    "PS817",
    `${path} is not the file that was written: its ${size === record.sizeBytes ? "SHA-256" : "size"} differs from the record beside it. ` +
      "Expected it unchanged. Take another backup from `npm run backups`; nothing was changed.",
  );
}

/**
 * What a restore will do, from what the role may. Changes nothing.
 *
 * @param into a name for the new database, where it shall not be swapped.
 * @throws {UserError} where the server cannot take it.
 */
export async function planRestore(database: Database, { record }: Stored, into?: string): Promise<RestorePlan> {
  const { target } = database;
  const pool = await database.pool();
  const { rows } = await pool.query<PrivilegesRow>(PRIVILEGES, [target.database, record.roles]);
  const may = rows[0];
  if (may === undefined) throw new Error("the server does not tell about the role");
  if (may.missing.length > 0 && record.mode === "dump") {
    throw new UserError(
      "PS818",
      `The backup names roles that the server does not have: ${may.missing.join(", ")}. Create them first: ` +
        `${may.missing.map((role) => `create role ${quoteIdent(role)};`).join(" ")} Nothing was changed.`,
    );
  }
  if (!may.mayCreate) {
    throw new UserError(
      "PS818",
      `The role ${target.user} may not create a database on ${target.host}, which a restore fills beside the target. ` +
        `Grant it: alter role ${quoteIdent(target.user)} createdb; Nothing was changed.`,
    );
  }
  const { restoring, restored, before } = restoreNames(target.database, new Date());
  const reason =
    into !== undefined
      ? "a name was asked for"
      : !may.mayRename
        ? `${target.user} may not rename ${target.database}, which it does not own`
        : !(await hasNeutralDatabase(database))
          ? `no other database can be connected to (tried ${NEUTRAL.join(", ")})`
          : undefined;
  return {
    // What takes the name of the target needs no other one in between.
    into: into ?? (reason === undefined ? restoring : restored),
    restoring,
    keptAs: reason === undefined ? before : undefined,
    reason,
    hasOwners: may.mayOwn,
    // Less our own.
    sessions: Math.max(0, may.sessions - pool.totalCount),
  };
}

/**
 * Fills the new database and counts its rows. Where that fails, the database is dropped again.
 *
 * @throws {UserError}
 */
export async function restoreBeside(
  database: Database,
  backup: Stored,
  plan: RestorePlan,
  options: RestoreOptions,
): Promise<void> {
  const { record } = backup;
  const { restoring } = plan;
  const pool = await database.pool();
  options.onStage("new database");
  if (record.mode === "copy") {
    await pool.query(`create database ${quoteIdent(restoring)} template ${quoteIdent(record.copy)}`).catch(notRestored);
  } else {
    const { same } = await databaseLocale(pool, database.target.database);
    await pool.query(`create database ${quoteIdent(restoring)} template template0 ${same}`).catch(notRestored);
  }
  try {
    if (record.mode === "dump") {
      options.onStage("restore");
      await fill(database, { folder: backup.folder, record }, plan, options);
    }
    options.onStage("proof");
    const restored = await database.poolOf(restoring);
    try {
      const faults = differences(record.rows, await rowsIn(restored, record.rows));
      if (faults.length > 0) throw failed(`it has not the rows of the backup: ${faults.slice(0, 5).join("; ")}`);
      if (plan.keptAs !== undefined) await copySettings(pool, database.target.database, restoring);
    } finally {
      await restored.end();
    }
    if (plan.into !== restoring)
      await pool.query(`alter database ${quoteIdent(restoring)} rename to ${quoteIdent(plan.into)}`).catch(notRestored);
  } catch (error) {
    await pool.query(`drop database if exists ${quoteIdent(restoring)} with (force)`);
    throw error;
  }
}

async function fill(
  { target, facts }: Database,
  { folder, record }: Stored<DumpRecord>,
  { restoring, hasOwners }: RestorePlan,
  { projectDirectory, signal }: RestoreOptions,
): Promise<void> {
  const wrote = Number.parseInt(/pg_dump (\d+)/.exec(record.tool)?.[1] ?? "0", 10);
  const major = Math.max(wrote, (await facts()).major);
  const tools = await requirePgTools({ major, projectDirectory, signal });
  const access = await libpqAccess(target, { database: restoring, projectDirectory });
  try {
    const parameters = hasOwners ? [] : ["--no-owner"];
    const faults = await restoreInto(join(folder, record.file), parameters, { tools, signal, timeoutMs: 0 }, access);
    if (faults.length > 0) throw failed(faults.slice(0, 5).join("; "));
  } catch (error) {
    if (error instanceof UnusableDump) throw failed(error.message);
    throw error;
  } finally {
    await access.remove();
  }
}

/**
 * Gives the new database the name of the target, in one transaction: whenever this process is killed, the
 * target has its name and lets sessions in. Its sessions are ended; a new one waits until the names are
 * settled.
 *
 * @throws {UserError} when that cannot be; the target has its name then.
 */
export async function swap(database: Database, plan: RestorePlan): Promise<void> {
  const { keptAs, into } = plan;
  const name = database.target.database;
  if (keptAs === undefined) throw new Error("the names cannot be swapped");
  await database.close();
  const pool = await neutralPool(database);
  if (pool === undefined) throw failed("no other database can be connected to");
  // Opening the pool has connected to the target for its TLS mode.
  await database.close();
  const client = await pool.connect();
  try {
    const [now, kept] = [quoteIdent(name), quoteIdent(keptAs)];
    await client.query("begin");
    await client.query(`set local lock_timeout = ${SESSIONS_END_MS}`);
    // From its beginning on nobody comes onto the database, and for 5 s it waits for those who are on it.
    const renaming = client.query(`alter database ${now} rename to ${kept}`);
    await endSessions(pool, name, renaming);
    await renaming;
    await client.query(`alter database ${quoteIdent(into)} rename to ${now}`);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw swapFailed(error, plan, name);
  } finally {
    client.release(true);
    await pool.end();
  }
}

/** Ends the sessions of a database, again and again until something is settled. */
async function endSessions(pool: Pool, name: string, until: Promise<unknown>): Promise<void> {
  let isSettled = false;
  const settled = until.then(
    () => undefined,
    () => undefined,
  );
  void settled.then(() => {
    isSettled = true;
  });
  while (!isSettled) {
    await pool.query(
      `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
        where datname = $1 and backend_type = 'client backend'`,
      [name],
    );
    await Promise.race([settled, sleep(ENDED_AGAIN_MS)]);
  }
}

async function hasNeutralDatabase(database: Database): Promise<boolean> {
  const pool = await neutralPool(database);
  await pool?.end();
  return pool !== undefined;
}

/** A pool to a database that is not the target; undefined where none lets us in. */
async function neutralPool(database: Database): Promise<Pool | undefined> {
  for (const name of NEUTRAL.filter((other) => other !== database.target.database)) {
    const pool = await database.poolOf(name);
    try {
      await pool.query("select 1");
      return pool;
    } catch {
      await pool.end();
    }
  }
  return undefined;
}

const failed = (reason: string): UserError =>
  new UserError(
    "PS818",
    `The backup cannot be restored: ${reason}. The target is as it was; what was made beside it is dropped.`,
  );

function notRestored(error: unknown): never {
  throw failed(`the new database cannot be made (${error instanceof Error ? error.message : String(error)})`);
}

function swapFailed(error: unknown, { into }: RestorePlan, name: string): UserError {
  return new UserError(
    "PS818",
    `The restored database ${into} cannot take the name ${name}: ${error instanceof Error ? error.message : String(error)}. ` +
      `${name} is as it was, and ${into} is complete. End what holds ${name}, and rename both by hand or run this again.`,
    { cause: error },
  );
}
