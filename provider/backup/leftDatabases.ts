/**
 * Databases beside the target that a killed run has left: their names, which ones are dropped, and what is
 * said of the others. To be asked while the lock of the run is held.
 */
import { randomBytes } from "node:crypto";
import { quoteIdent } from "../catalog/quote.ts";
import { codeOf } from "../database/connectionError.ts";
import type { Database } from "../database/target.ts";
import { stamp } from "./backupFiles.ts";

/** Bytes of a name, less the longest suffix. */
const ROOM_FOR_SUFFIX = 63 - "_before_restore_20260131t235959z".length;

/** Between the name of a target and a time, while a database beside it is not complete. */
const RESTORING = "_restoring_";
const UNPROVEN = "_unproven_";

/** Name of the scratch database for a proof; it tells the target, whose runs keep out of each other's way. */
export const proofName = (targetOid: number): string => `pgstrata_proof_${targetOid}_${randomBytes(8).toString("hex")}`;

const PROOFS = `
  select o.datname as name from pg_catalog.pg_database o, pg_catalog.pg_database d
   where d.datname = pg_catalog.current_database() and o.datname ~ ('^pgstrata_proof_' || d.oid::pg_catalog.text || '_[0-9a-f]{16}$')
   order by 1`;
const UNFINISHED = `
  select datname as name from pg_catalog.pg_database
   where datname ^@ $1 and pg_catalog.substr(datname, pg_catalog.length($1) + 1) ~ '^\\d{8}t\\d{6}z$' order by 1`;

/**
 * Drops the scratch databases of earlier proofs. One that a session is on, such as a `pg_restore` that goes
 * on by itself, stays for a later run.
 *
 * @returns the names of those that are gone.
 */
export async function dropAbandonedProofs(database: Database): Promise<string[]> {
  const pool = await database.pool();
  const { rows } = await pool.query<{ name: string }>(PROOFS);
  const dropped: string[] = [];
  for (const { name } of rows) {
    try {
      await pool.query(`drop database if exists ${quoteIdent(name)}`);
      dropped.push(name);
    } catch (error) {
      if (codeOf(error) !== "55006" && codeOf(error) !== "42501") throw error;
    }
  }
  return dropped;
}

/** Names of the databases of one restore. */
export interface RestoreNames {
  /** While it is filled and proven. */
  restoring: string;
  restored: string;
  /** Of the target, once another one has its name. */
  before: string;
}

export function restoreNames(target: string, time: Date): RestoreNames {
  const [prefix, at] = [shortened(target), stamp(time).toLowerCase()];
  return {
    restoring: `${prefix}${RESTORING}${at}`,
    restored: `${prefix}_restored_${at}`,
    before: `${prefix}_before_restore_${at}`,
  };
}

/** Names of a copy: while it is not proven, and afterwards. */
export function copyNames(target: string, time: Date): { unproven: string; copy: string } {
  const [prefix, at] = [shortened(target), stamp(time).toLowerCase()];
  return { unproven: `${prefix}${UNPROVEN}${at}`, copy: `${prefix}_backup_${at}` };
}

/** One line for each database that a restore or a copy has left unfinished, with what to do. */
export async function unfinishedDatabases(database: Database): Promise<string[]> {
  const pool = await database.pool();
  const prefix = shortened(database.target.database);
  const lines = { [RESTORING]: "a restore", [UNPROVEN]: "a backup" };
  const found = await Promise.all(
    Object.entries(lines).map(async ([suffix, what]) => {
      const { rows } = await pool.query<{ name: string }>(UNFINISHED, [prefix + suffix]);
      return rows.map(
        ({ name }) =>
          `the database ${name} is of ${what} that has not ended, and may be incomplete. ` +
          `Nothing needs it: drop database ${quoteIdent(name)};`,
      );
    }),
  );
  return found.flat();
}

/** The longest beginning of a name that leaves room, not cut within a character. */
function shortened(name: string): string {
  let text = name;
  while (Buffer.byteLength(text) > ROOM_FOR_SUFFIX) text = [...text].slice(0, -1).join("");
  return text;
}
