/**
 * How a dump is proven: it has the rows of each table, it can be read to its end, and, restored into a
 * scratch database, each table has the rows of the snapshot. Where that is, is left to `scratch.ts`.
 */
import type { BackupProof } from "../core/config.ts";
import { UserError } from "../core/errors.ts";
import type { Database } from "../database/target.ts";
import { libpqAccess, programEnvironment } from "./libpq.ts";
import { readContents, readThrough, restoreInto, type ToolRun, UnusableDump } from "./pgRestore.ts";
import type { Proof } from "./record.ts";
import { colocatedScratch, type ScratchDatabase, type ScratchNeeds } from "./scratch.ts";
import { countRows, type DumpedTable, differences, type RowsByTable, readUnlimited } from "./tableRows.ts";

/** Above it, `auto` does not restore. */
const LARGEST_RESTORE_BYTES = 500 * 2 ** 20;

/** Whether a dump of a size is restored, where that can be. */
export function isRestored(desired: BackupProof, sizeBytes: number): boolean {
  return desired === "restore" || (desired === "auto" && sizeBytes < LARGEST_RESTORE_BYTES);
}

/** Not of a scratch database: what would reach out of it, or asks for rights of a superuser. */
const SCRATCH = ["--no-publications", "--no-subscriptions", "--no-security-labels", "--no-tablespaces"];
const WITHOUT_ROLES = ["--no-owner", "--no-privileges", "--no-comments"];

const MOST_NAMED = 5;

export interface DumpToProve {
  path: string;
  sizeBytes: number;
  tables: readonly DumpedTable[];
  rows: RowsByTable;
  needs: ScratchNeeds;
  desired: BackupProof;
  /** On an embedded server, which may have been started beside the dump. */
  embedded: () => Promise<ScratchDatabase | string>;
  database: Database;
  projectDirectory: string;
  run: ToolRun;
}

/**
 * @returns how it was proven, and what is to be said about it.
 * @throws {UserError} when the dump does not prove to be usable.
 */
export async function prove(dump: DumpToProve): Promise<{ proof: Proof; warnings: string[] }> {
  const started = performance.now();
  const elapsed = (): number => Math.round(performance.now() - started);
  try {
    const nowhere = { env: programEnvironment(), files: [] };
    const { tableData } = await readContents(dump.path, dump.run, nowhere);
    const missing = dump.tables
      .filter(({ oid }) => !tableData.has(oid))
      .map(({ name }) => `${name}: has no rows in it`);
    if (missing.length > 0) throw notProven(missing);
    const { desired } = dump;
    const restores = isRestored(desired, dump.sizeBytes);
    const reasons: string[] = [];
    if (restores) {
      const where = await restoreSomewhere(dump, reasons);
      if (where !== undefined) return { proof: { kind: "restore", where, elapsedMs: elapsed() }, warnings: [] };
      if (desired === "restore") throw notProven(reasons);
    }
    await readThrough(dump.path, dump.run, nowhere);
    const warnings = restores ? [`the dump was not restored, its list alone proves it: ${reasons.join("; ")}`] : [];
    return { proof: { kind: "list", elapsedMs: elapsed() }, warnings };
  } catch (error) {
    if (error instanceof UnusableDump) throw notProven([error.message]);
    throw error;
  }
}

/**
 * @param reasons gets why there is no database to restore into.
 * @returns where it was restored; undefined where there is no such database.
 */
async function restoreSomewhere(dump: DumpToProve, reasons: string[]): Promise<string | undefined> {
  const { database, needs, embedded, run } = dump;
  const places = [embedded, () => colocatedScratch(database, needs)];
  let fault: UserError | undefined;
  for (const open of places) {
    run.signal.throwIfAborted();
    const scratch = await open();
    if (typeof scratch === "string") {
      reasons.push(scratch);
      continue;
    }
    try {
      const faults = await restoreAndCompare(dump, scratch);
      if (faults.length === 0) return scratch.where;
      // What is special to the target's server is found there alone, so that it has the last word.
      const found = faults.map((line) => `in ${scratch.where}: ${line}`);
      if (scratch.hasSameLocale) fault = notProven(found);
      else reasons.push(`this machine lacks the locale of the database (${found[0]})`);
    } finally {
      await scratch.drop();
    }
  }
  if (fault !== undefined) throw fault;
  return undefined;
}

async function restoreAndCompare(dump: DumpToProve, scratch: ScratchDatabase): Promise<string[]> {
  const { target, database, hasAllRoles, pool } = scratch;
  const access = await libpqAccess(target, { database, projectDirectory: dump.projectDirectory });
  try {
    const faults = await restoreInto(
      dump.path,
      hasAllRoles ? SCRATCH : [...SCRATCH, ...WITHOUT_ROLES],
      dump.run,
      access,
    );
    if (faults.length > 0) return faults;
  } finally {
    await access.remove();
  }
  return differences(dump.rows, await rowsIn(pool, dump.rows));
}

/** The rows of the same tables, counted in the same way. */
export async function rowsIn(pool: ScratchDatabase["pool"], expected: RowsByTable): Promise<RowsByTable> {
  const client = await pool.connect();
  try {
    await client.query("begin read only");
    await readUnlimited(client);
    const { rows } = await client.query<{ name: string }>(
      `select name from pg_catalog.unnest($1::pg_catalog.text[]) as name where pg_catalog.to_regclass(name) is not null`,
      [Object.keys(expected)],
    );
    const hashed = Object.entries(expected).flatMap(([name, { checksum }]) => (checksum === undefined ? [] : [name]));
    return await countRows(
      client,
      rows.map(({ name }) => name),
      new Set(hashed),
    );
  } finally {
    client.release(true);
  }
}

function notProven(reasons: readonly string[]): UserError {
  const more = reasons.length > MOST_NAMED ? [`and ${reasons.length - MOST_NAMED} more`] : [];
  return new UserError(
    "PS813",
    `The backup does not prove to be usable: ${[...reasons.slice(0, MOST_NAMED), ...more].join("; ")}. ` +
      "Expected a dump that restores with the rows of its snapshot. It was removed, and nothing was changed. Run again; " +
      'where the reason stays, set `backupProof` to "list", or `backup` to another mode.',
  );
}
