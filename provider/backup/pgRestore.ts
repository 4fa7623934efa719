/**
 * How `pg_restore` reads a dump: its table of contents, all of it, or into a database; and what is said of
 * its errors, never a row. Which database that is, is left to `proof.ts` and `restore.ts`.
 */
import { open } from "node:fs/promises";
import type { LibpqAccess } from "./libpq.ts";
import type { PgTools } from "./pgTools.ts";
import { endOf, type ProgramResult, runProgram } from "./runProgram.ts";

/** What a program of Postgres is started with. */
export interface ToolRun {
  tools: PgTools;
  signal: AbortSignal;
  /** Milliseconds; 0 for no limit. */
  timeoutMs: number;
}

/** Where nothing is connected to. */
export type Unconnected = Pick<LibpqAccess, "env" | "files">;

/** Entries of a dump's table of contents: kind and OID. */
export interface Contents {
  /** OIDs of the tables whose rows it has. */
  tableData: ReadonlySet<number>;
}

/** A dump that cannot be used, with the reason. */
export class UnusableDump extends Error {}

/** Of the server settings that newer programs set, those that older servers lack. */
const UNKNOWN_SETTING = /unrecognized configuration parameter "(transaction_timeout|idle_session_timeout)"/;

/**
 * @throws {UnusableDump}
 */
export async function readContents(dump: string, run: ToolRun, access: Unconnected): Promise<Contents> {
  const { stdout } = await reading(dump, ["--list"], run, access);
  const entries = stdout.matchAll(/^\d+; \d+ (\d+) TABLE DATA /gm);
  return { tableData: new Set([...entries].map(([, oid]) => Number(oid))) };
}

/**
 * Reads a dump to its end: the list alone is in its beginning.
 *
 * @throws {UnusableDump}
 */
export async function readThrough(dump: string, run: ToolRun, access: Unconnected): Promise<void> {
  await reading(dump, ["--file=/dev/null"], run, access);
}

/**
 * @returns what the server did not accept, one line each, without values of rows.
 * @throws {UnusableDump} when it did not come to an end.
 */
export async function restoreInto(
  dump: string,
  parameters: readonly string[],
  run: ToolRun,
  access: LibpqAccess,
): Promise<string[]> {
  const result = await pgRestore(dump, ["--dbname", access.env.PGDATABASE ?? "", ...parameters], run, access);
  const faults = restoreFaults(result.stderr);
  if (result.exitCode === 0 || (result.exitCode === 1 && /errors ignored on restore/.test(result.stderr)))
    return faults;
  throw new UnusableDump(failure(result, faults));
}

async function reading(
  dump: string,
  parameters: readonly string[],
  run: ToolRun,
  access: Unconnected,
): Promise<ProgramResult> {
  const result = await pgRestore(dump, parameters, run, access);
  if (result.exitCode !== 0) throw new UnusableDump(failure(result, restoreFaults(result.stderr)));
  return result;
}

async function pgRestore(
  dump: string,
  parameters: readonly string[],
  { tools, signal, timeoutMs }: ToolRun,
  access: Unconnected,
): Promise<ProgramResult> {
  const input = await open(dump, "r");
  try {
    const { file, parameters: all } = tools.command("pg_restore", parameters, access);
    return await runProgram(file, all, { env: access.env, stdin: input.fd, signal, timeoutMs });
  } finally {
    await input.close();
  }
}

function failure(result: ProgramResult, faults: readonly string[]): string {
  if (result.hasTimedOut) return "pg_restore did not end in time";
  if (result.startError !== undefined) return `pg_restore did not start (${result.startError})`;
  return faults[0] ?? `pg_restore ended with ${endOf(result)}`;
}

/**
 * What the server or the program says, line by line. A detail and a context hold values of rows, and so may
 * the message about the rows of a table; nothing of these is shown.
 */
export function restoreFaults(stderr: string): string[] {
  let entry = "";
  const faults: string[] = [];
  for (const line of stderr.split("\n")) {
    entry = /^pg_restore: from TOC entry \d+; \d+ \d+ (.*)$/.exec(line)?.[1] ?? entry;
    const fault = /^pg_restore: error: (?:could not execute query: ERROR: +)?(.*)$/.exec(line)?.[1];
    if (fault === undefined || UNKNOWN_SETTING.test(fault)) continue;
    const isAboutRows = entry.startsWith("TABLE DATA ") || /^COPY failed/.test(fault);
    if (isAboutRows) faults.push(`${entry}: the server does not accept its rows`);
    else faults.push(entry === "" ? fault : `${entry}: ${fault}`);
  }
  return faults;
}
