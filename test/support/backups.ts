import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll } from "vitest";
import type { BackupOrder } from "../../provider/backup/order.ts";
import type { BackupReport, DumpRecord } from "../../provider/backup/record.ts";
import { takeBackup } from "../../provider/backup/takeBackup.ts";
import type { BackupSettings } from "../../provider/core/config.ts";
import { takeRunLock } from "../../provider/database/runLock.ts";
import { openDatabase } from "../../provider/database/target.ts";
import { projectRoot } from "../../tools/lib/paths.ts";
import { defaults } from "./layerHarness.ts";
import { findPgDump } from "./pgDump.ts";

/** What came of a backup, and what was said of it. */
export interface Taken {
  report: BackupReport;
  /** Path of the dump. */
  path: string;
  record: DumpRecord;
  said: string[];
}

export interface BackupRun {
  url: string;
  settings?: Partial<BackupSettings>;
  order?: Partial<BackupOrder>;
  /** While the dump is on its way. */
  onStatus?: (text: string) => void;
}

const made: string[] = [];

/** To be called at the top level of a file. */
export function backupFolders(): () => Promise<string> {
  afterAll(async () => {
    await Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true })));
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgstrata-backups-"));
    made.push(folder);
    return join(folder, "backups");
  };
}

/** Takes a backup as a guard does, outside of a session. */
export async function runBackup({ url, settings = {}, order = {}, onStatus }: BackupRun): Promise<Taken> {
  await findPgDump();
  const { backup, lockLimitMs } = defaults({ url });
  const database = openDatabase({ url });
  if (database === undefined) throw new Error("no URL");
  const said: string[] = [];
  const report = {
    info: (text: string) => said.push(text),
    warn: (text: string) => said.push(`warning: ${text}`),
    status: (text: string) => onStatus?.(text),
    plan: async () => {},
  };
  const signal = order.signal ?? new AbortController().signal;
  const lock = await takeRunLock(database, 1, { report, signal });
  try {
    const taken = await takeBackup({
      settings: { ...backup, mode: "dump", ...settings },
      database,
      lock,
      lockWaitMs: lockLimitMs,
      stack: "prod",
      project: "shop",
      projectDirectory: projectRoot,
      report,
      signal,
      ...order,
    });
    const { record, folder = "" } = taken;
    if (record?.mode !== "dump") return { report: taken, path: "", record: NO_DUMP, said };
    return { report: taken, path: join(folder, record.file), record, said };
  } finally {
    await lock.release();
    await database.close();
  }
}

const NO_DUMP: DumpRecord = {
  format: 1,
  mode: "dump",
  name: "",
  project: "",
  stack: "",
  database: "",
  takenAt: "",
  serverVersion: "",
  proof: { kind: "none", elapsedMs: 0 },
  elapsedMs: 0,
  warnings: [],
  roles: [],
  rows: {},
  sizeBytes: 0,
  file: "",
  sha256: "",
  tool: "",
};

/** Names of the files of a folder, sorted; empty where there is none. */
export async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

/**
 * Puts programs of a shell before the ones of PATH: `pg_dump` and `pg_restore`, with the real ones as
 * `$PG_DUMP` and `$PG_RESTORE`.
 *
 * @returns what puts PATH back.
 */
export async function withPrograms(scripts: Readonly<Record<string, string>>): Promise<() => void> {
  const real = await findPgDump();
  if (real === undefined) throw new Error("no pg_dump");
  const folder = await mkdtemp(join(tmpdir(), "pgstrata-programs-"));
  made.push(folder);
  const bin = dirname(real);
  const all = { pg_dump: 'exec "$PG_DUMP" "$@"', pg_restore: 'exec "$PG_RESTORE" "$@"', ...scripts };
  await mkdir(folder, { recursive: true });
  for (const [name, script] of Object.entries(all)) {
    const variables = `PG_DUMP='${join(bin, "pg_dump")}'\nPG_RESTORE='${join(bin, "pg_restore")}'\n`;
    const version = `if [ "$1" = --version ]; then exec "$PG_DUMP" --version; fi\n`;
    await writeFile(join(folder, name), `#!/bin/sh\n${variables}${version}${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const { PATH } = process.env;
  process.env.PATH = [folder, PATH].join(delimiter);
  return () => {
    process.env.PATH = PATH;
  };
}

/** The text of a file, or nothing. */
export const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
