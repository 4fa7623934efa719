/**
 * The mode `copy`: a copy of the database on its own server, while no other session is on it, so that it has
 * the same rows. Its name says that it is proven.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase } from "pg";
import { quoteIdent, quoteLiteral } from "../catalog/quote.ts";
import { UserError } from "../core/errors.ts";
import { codeOf } from "../database/connectionError.ts";
import type { Database } from "../database/target.ts";
import { newName } from "./backupFiles.ts";
import { copyNames } from "./leftDatabases.ts";
import type { BackupOrder } from "./order.ts";
import { rowsIn } from "./proof.ts";
import type { CopyRecord } from "./record.ts";
import { scratchNeeds } from "./scratch.ts";
import { exportState, keepState } from "./stateExport.ts";
import { countRows, differences, dumpedTables, readUnlimited, tablesWithChecksum } from "./tableRows.ts";

/** What a database of ours is marked with, so that no other is ever dropped. */
const MARK = "pgstrata backup of ";

const OTHERS = `
  select pid, coalesce(usename::pg_catalog.text, '') as role, coalesce(application_name, '') as application from pg_catalog.pg_stat_activity
   where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid() and backend_type = 'client backend' order by pid`;
const MARKED = `
  select 1 from pg_catalog.pg_database d where d.datname = $1
     and pg_catalog.shobj_description(d.oid, 'pg_database') ^@ $2`;

interface OtherSession {
  pid: number;
  role: string;
  application: string;
}

const POLL_MS = 100;
const POLLS = 20;

/** @throws {UserError} while other sessions are on the database, or the role may not make one. */
export async function copyDatabase(order: BackupOrder, folder: string): Promise<CopyRecord> {
  const { database, lock, stack, project, planDigest, projectDirectory, signal, report } = order;
  const started = performance.now();
  const { version } = await database.facts();
  const { roles, bytes } = await scratchNeeds(database);
  const takenAt = new Date();
  const name = await newName(folder, { stack, database: database.target.database, time: takenAt, planDigest });
  const state = await exportState({ stack, project }, projectDirectory, signal);
  const { unproven, copy } = copyNames(database.target.database, takenAt);

  // Of our own sessions, the one that holds the lock may stay, as it is the one that copies.
  await database.close();
  const { client } = lock;
  await refuseOthers(client, database);
  report.status("backup: copying the database on its server");
  const rows = await ownRows(client);
  await client
    .query(`create database ${quoteIdent(unproven)} template ${quoteIdent(database.target.database)}`)
    .catch((error: unknown) => {
      throw notCopied(error, database);
    });
  const pool = await database.poolOf(unproven);
  try {
    const faults = differences(rows, await rowsIn(pool, rows));
    if (faults.length > 0)
      throw new UserError(
        "PS813",
        `The copy has not the rows of the database: ${faults[0]}. It was dropped, and nothing was changed. Run again.`,
      );
  } catch (error) {
    await pool.end();
    await client.query(`drop database if exists ${quoteIdent(unproven)} with (force)`);
    throw error;
  }
  await pool.end();
  await client.query(`comment on database ${quoteIdent(unproven)} is ${quoteLiteral(MARK + database.target.database)}`);
  await client.query(`alter database ${quoteIdent(unproven)} rename to ${quoteIdent(copy)}`);
  const kept = await keepState(state, folder, name);
  const elapsedMs = Math.round(performance.now() - started);
  return {
    format: 1,
    mode: "copy",
    name,
    project,
    stack,
    database: database.label,
    takenAt: takenAt.toISOString(),
    ...(planDigest === undefined ? {} : { planDigest }),
    serverVersion: version,
    copy,
    sizeBytes: bytes,
    roles: [...roles],
    rows: { ...rows },
    proof: { kind: "copy", elapsedMs },
    ...kept.state,
    elapsedMs,
    warnings: kept.warnings,
  };
}

/** Drops a copy that is marked as one of ours; another database of that name stays. */
export async function dropCopy(database: Database, copy: string): Promise<void> {
  const pool = await database.pool();
  const { rowCount } = await pool.query(MARKED, [copy, MARK]);
  if (rowCount === 1) await pool.query(`drop database if exists ${quoteIdent(copy)} with (force)`);
}

async function ownRows(client: ClientBase): Promise<CopyRecord["rows"]> {
  await client.query("begin read only");
  try {
    await readUnlimited(client);
    const tables = await dumpedTables(client);
    const names = tables.map(({ name }) => name);
    return { ...(await countRows(client, names, tablesWithChecksum(tables))) };
  } finally {
    await client.query("rollback");
  }
}

async function refuseOthers(client: ClientBase, { label }: Database): Promise<void> {
  const others = async (): Promise<OtherSession[]> => (await client.query<OtherSession>(OTHERS)).rows;
  let rows = await others();
  // The server takes a moment to end a session that has closed its connection, such as our own.
  for (let n = 0; n < POLLS && rows.length > 0; n++) {
    await sleep(POLL_MS);
    rows = await others();
  }
  if (rows.length === 0) return;
  const named = rows
    .slice(0, 5)
    .map(({ pid, role, application }) => `process ${pid} of ${role}${application && ` (${application})`}`);
  throw new UserError(
    "PS816",
    `${rows.length === 1 ? "A session is" : `${rows.length} sessions are`} on ${label}: ${named.join(", ")}. ` +
      'Expected none: a database is copied while nobody is on it. End them, or set `backup` to "dump". Nothing was changed.',
  );
}

function notCopied(error: unknown, { label }: Database): unknown {
  const found: Readonly<Record<string, string>> = {
    "42501": "the connecting role may not: it needs CREATEDB, and to own the database. Grant that",
    "55006": "a session came onto it meanwhile. End it",
    "53100": "the server's disk is full. Free space there",
  };
  const reason = found[codeOf(error) ?? ""];
  if (reason === undefined) return error;
  return new UserError(
    "PS816",
    `${label} cannot be copied on its server: ${reason}, or set \`backup\` to another mode. Nothing was changed.`,
    { cause: error },
  );
}
