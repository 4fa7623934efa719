/**
 * The mode `dump`: pg_dump and the counts of all rows, both of one snapshot. Its proof is left to `proof.ts`,
 * and its name to `backupFiles.ts`.
 */
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/resourceType.ts";
import { codeOf, describeConnectionError } from "../database/connectionError.ts";
import { describeDatabaseError } from "../database/databaseError.ts";
import type { Database } from "../database/target.ts";
import { libpqAccess } from "./libpq.ts";
import type { ToolRun } from "./pgRestore.ts";
import { endOf, type ProgramResult, runProgram } from "./runProgram.ts";
import {
  countRows,
  type DumpedTable,
  dumpedTables,
  type RowsByTable,
  readUnlimited,
  tablesWithChecksum,
} from "./tableRows.ts";

export interface DumpOptions {
  database: Database;
  projectDirectory: string;
  run: ToolRun;
  /** Longest wait for the locks that a dump takes, in milliseconds. */
  lockWaitMs: number;
  report: Reporter;
}

export interface Snapshot {
  takenAt: Date;
  tables: readonly DumpedTable[];
  rows: RowsByTable;
}

const PROGRESS_MS = 1000;

/**
 * @param output an open file; `path` is where it lies, for its size.
 * @throws {UserError} with what to do; what was written by then is of no use.
 */
export async function dump(options: DumpOptions, output: { fd: number; path: string }): Promise<Snapshot> {
  const { database, projectDirectory } = options;
  const access = await libpqAccess(database.target, { projectDirectory });
  const client = await database.connect();
  try {
    await client.query("begin isolation level repeatable read, read only");
    await readUnlimited(client, { lockWaitMs: options.lockWaitMs, timeoutMs: options.run.timeoutMs });
    const { rows: exported } = await client.query<{ snapshot: string; time: Date }>(
      "select pg_catalog.pg_export_snapshot() as snapshot, pg_catalog.clock_timestamp() as time",
    );
    if (exported[0] === undefined) throw new Error("the server exported no snapshot");
    const { snapshot, time } = exported[0];
    const tables = await dumpedTables(client);
    const names = tables.map(({ name }) => name);
    const ended = new AbortController();
    // Its failure ends the transaction, and so the snapshot of the dump.
    const uncounted = new AbortController();
    const counting = countRows(client, names, tablesWithChecksum(tables)).catch((error: unknown) => {
      uncounted.abort(countFault(error, options));
      return {};
    });
    const progress = tellProgress(options.report, output.path, ended.signal);
    try {
      const { file, parameters } = options.run.tools.command("pg_dump", parametersFor(snapshot, options), access);
      const result = await runProgram(file, parameters, {
        env: access.env,
        stdout: output.fd,
        signal: AbortSignal.any([options.run.signal, uncounted.signal]),
        timeoutMs: options.run.timeoutMs,
      });
      if (result.exitCode !== 0 && !uncounted.signal.aborted) throw failure(result, options);
      const rows = await counting;
      uncounted.signal.throwIfAborted();
      return { takenAt: time, tables, rows };
    } finally {
      ended.abort();
      await progress;
    }
  } catch (error) {
    throw describeDatabaseError(error) ?? describeConnectionError(error, database.target);
  } finally {
    client.release(true);
    await access.remove();
  }
}

const parametersFor = (snapshot: string, { lockWaitMs }: DumpOptions): string[] => [
  "--format=custom",
  "--no-password",
  `--snapshot=${snapshot}`,
  `--lock-wait-timeout=${lockWaitMs}`,
];

async function tellProgress(report: Reporter, path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(PROGRESS_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const { size } = await stat(path);
    report.status(`backup: ${(size / 2 ** 20).toFixed(1)} MB written`);
  }
}

function failure(result: ProgramResult, { run, database }: DumpOptions): UserError {
  const said = result.stderr
    .split("\n")
    .flatMap((line) => /^pg_dump: error: (.*)$/.exec(line)?.[1] ?? [])
    .slice(0, 3);
  const reason = result.hasTimedOut
    ? `pg_dump did not end within ${run.timeoutMs / 1000} s (\`backupTimeoutMs\`)`
    : result.startError !== undefined
      ? `${run.tools.place}: pg_dump did not start (${result.startError})`
      : said.length > 0
        ? `pg_dump reports: ${said.join("; ")}`
        : `pg_dump ended with ${endOf(result)}`;
  const advice = result.hasTimedOut ? 'Raise it, or set `backup` to "external" or "copy".' : adviceFor(result.stderr);
  return new UserError("PS812", `The backup of ${database.label} failed: ${reason}. ${advice} Nothing was changed.`);
}

/** Of the counts, which need to read each row as the dump does. */
function countFault(error: unknown, { database }: DumpOptions): unknown {
  if (codeOf(error) !== "42501" || !(error instanceof Error)) return error;
  return new UserError(
    "PS812",
    `The backup of ${database.label} failed: ${error.message}. ${adviceFor(error.message)} Nothing was changed.`,
    { cause: error },
  );
}

function adviceFor(said: string): string {
  if (/No space left on device|Disk quota exceeded/.test(said))
    return "Free space there, or set `backupFolder` to a folder with more of it.";
  if (/row-level security policy/.test(said))
    return "Connect as a role that reads all rows: the owner of the tables, or one with BYPASSRLS.";
  if (/permission denied/.test(said)) return "Grant the connecting role SELECT on it, or connect as its owner.";
  if (/lock timeout/.test(said)) return "Wait for the sessions that lock the table, or raise `lockLimitMs`.";
  return "Run again once that is mended, or set `backup` to another mode.";
}
