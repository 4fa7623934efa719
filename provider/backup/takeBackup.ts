/**
 * The backup before the first change of a run, in the mode of its settings: taken, proven, written down, and
 * old ones deleted. When it is due is left to the guard.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import {
  listBackups,
  newName,
  partialFile,
  prepareFolder,
  removeFiles,
  sha256Of,
  sweep,
  writePrivate,
} from "./backupFiles.ts";
import { dump } from "./dump.ts";
import { backupFolder } from "./folder.ts";
import { isOfDatabase, readIdentity } from "./identity.ts";
import { dropAbandonedProofs, unfinishedDatabases } from "./leftDatabases.ts";
import type { BackupOrder } from "./order.ts";
import { requirePgTools } from "./pgTools.ts";
import { isRestored, prove } from "./proof.ts";
import type { BackupReport, DatabaseIdentity, DumpRecord, StoredRecord } from "./record.ts";
import { embeddedScratch, type ScratchDatabase, type ScratchNeeds, scratchNeeds } from "./scratch.ts";
import { exportState, keepState, type StateExport } from "./stateExport.ts";

/** Below it, a dump is suspiciously small for one of a database in use. */
const SMALL_BYTES = 100_000;

/** @throws {UserError} when there is no proven backup; nothing may be changed then. */
export async function takeBackup(order: BackupOrder): Promise<BackupReport> {
  const { mode } = order.settings;
  const report = await takeIn(order);
  for (const warning of report.record?.warnings ?? []) order.report.warn(`backup: ${warning}`);
  if (report.record !== undefined) order.report.info(`backup: ${summaryOf(report)}`);
  return { ...report, mode };
}

async function takeIn(order: BackupOrder): Promise<BackupReport> {
  switch (order.settings.mode) {
    case "off":
      return { mode: "off" };
    case "external": {
      const { externalBackup } = await import("./external.ts");
      return { mode: "external", record: await externalBackup(order) };
    }
    case "copy": {
      const { copyDatabase } = await import("./copy.ts");
      return inFolder(order, (folder) => copyDatabase(order, folder));
    }
    case "dump":
      return inFolder(order, (folder) => takeDump(order, folder));
  }
}

/** Prepares the folder, and keeps as many backups in it as the settings say. */
async function inFolder(order: BackupOrder, take: (folder: string) => Promise<StoredRecord>): Promise<BackupReport> {
  const folder = backupFolder(order.settings, order);
  try {
    const warnings = await prepareFolder(folder);
    for (const name of await sweep(folder))
      order.report.info(`backup: removed ${name}, an unfinished backup of a run that was killed; it counted as none`);
    await tellLeftovers(order);
    const taken = await take(folder);
    const identity = await readIdentity(order.database);
    const record = {
      ...taken,
      ...(identity === undefined ? {} : { identity }),
      warnings: [...warnings, ...taken.warnings],
    };
    await writePrivate(folder, `${record.name}.json`, `${JSON.stringify(record, null, 2)}\n`);
    await deleteOld(order, folder, identity);
    return { mode: record.mode, record, folder };
  } catch (error) {
    throw explainFileError(error, folder);
  }
}

/** The lock of the run is held, so that no other run or restore works on these databases. */
async function tellLeftovers({ database, report }: BackupOrder): Promise<void> {
  for (const name of await dropAbandonedProofs(database))
    report.info(`backup: dropped the scratch database ${name}, which a run that was killed has left`);
  for (const line of await unfinishedDatabases(database)) report.warn(`backup: ${line}`);
}

async function takeDump(order: BackupOrder, folder: string): Promise<DumpRecord> {
  const { settings, database, projectDirectory, signal, report, stack, project, planDigest } = order;
  const started = performance.now();
  const { major, version } = await database.facts();
  const finding = requirePgTools({ major, projectDirectory, signal });
  finding.catch(() => undefined);
  const needs = await scratchNeeds(database);
  refuseLarge(needs, order);
  const startEmbedded = (): Promise<ScratchDatabase | string> =>
    embeddedScratch(needs, join(projectDirectory, ".pgstrata", "shadow"));
  // A server for the proof starts while pg_dump is looked for and writes.
  const early = isRestored(settings.proof, needs.bytes) ? startEmbedded() : undefined;
  early?.catch(() => undefined);
  let partial: Awaited<ReturnType<typeof partialFile>> | undefined;
  let isProving = false;
  try {
    const run = { tools: await finding, signal, timeoutMs: settings.timeoutMs };
    const name = await newName(folder, { stack, database: database.target.database, time: new Date(), planDigest });
    const file = `${name}.dump`;
    partial = await partialFile(folder, file);
    report.status("backup: pg_dump");
    const exporting = exportState({ stack, project }, projectDirectory, signal);
    const state = exporting.catch((): StateExport => ({ reason: "it was cancelled" }));
    const snapshot = await dump({ database, projectDirectory, run, lockWaitMs: order.lockWaitMs, report }, partial);
    const { size } = await stat(partial.path);
    report.status(`backup: proof of ${(size / 2 ** 20).toFixed(1)} MB`);
    const { tables, rows, takenAt } = snapshot;
    isProving = true;
    const [{ proof, warnings }, sha256] = await Promise.all([
      prove({
        path: partial.path,
        sizeBytes: size,
        tables,
        rows,
        needs,
        desired: settings.proof,
        embedded: () => early ?? startEmbedded(),
        database,
        projectDirectory,
        run,
      }),
      sha256Of(partial.path),
    ]);
    const kept = await keepState(await state, folder, name);
    await partial.complete();
    const small =
      tables.length > 0 && size < SMALL_BYTES
        ? [`the dump has ${size} bytes; one of more than 100 KB is expected of a database in use`]
        : [];
    return {
      format: 1,
      mode: "dump",
      name,
      project,
      stack,
      database: database.label,
      takenAt: takenAt.toISOString(),
      ...(planDigest === undefined ? {} : { planDigest }),
      serverVersion: version,
      tool: `pg_dump ${run.tools.version} (${run.tools.place})`,
      file,
      sha256,
      sizeBytes: size,
      roles: [...needs.roles],
      rows: { ...rows },
      proof,
      ...kept.state,
      elapsedMs: Math.round(performance.now() - started),
      warnings: [...warnings, ...kept.warnings, ...small],
    };
  } catch (error) {
    const unused = isProving ? undefined : await early?.catch(() => undefined);
    if (typeof unused === "object") await unused.drop();
    await partial?.discard();
    throw error;
  }
}

function refuseLarge({ bytes }: ScratchNeeds, { settings, database }: BackupOrder): void {
  const sizeMb = Math.ceil(bytes / 2 ** 20);
  if (sizeMb <= settings.sizeLimitMb) return;
  throw new UserError(
    "PS814",
    `${database.label} has ${sizeMb} MB, but a dump takes at most ${settings.sizeLimitMb} MB (\`backupSizeLimitMb\`). ` +
      'Raise it, or set `backup` to "external" or "copy". Nothing was changed.',
  );
}

/** Those of this stack and database beyond the number that is kept. The one just taken is the newest. */
async function deleteOld(order: BackupOrder, folder: string, identity: DatabaseIdentity | undefined): Promise<void> {
  const { settings, database, stack, project } = order;
  const known = { target: database.target, identity };
  const own = (await listBackups(folder)).filter(
    ({ folder: place, record }) =>
      place === folder && record.stack === stack && record.project === project && isOfDatabase(record, known),
  );
  for (const old of own.slice(settings.keep)) {
    if (old.record.mode === "copy") {
      const { dropCopy } = await import("./copy.ts");
      await dropCopy(database, old.record.copy);
    }
    await removeFiles(old);
  }
}

function summaryOf({ record, folder }: BackupReport): string {
  if (record === undefined) return "none";
  const seconds = (record.elapsedMs / 1000).toFixed(1);
  if (record.mode === "external") return `one by others of ${record.takenAt}`;
  const tables = Object.values(record.rows);
  const rows = tables.reduce((sum, { count }) => sum + count, 0);
  const place = record.mode === "copy" ? `the database ${record.copy}` : join(folder ?? "", record.file);
  const proven = {
    restore: `restored into ${record.proof.where ?? ""}`,
    list: "proven by its list",
    copy: "counted",
    none: "",
  };
  return `${place} (${tables.length} tables, ${rows} rows; ${proven[record.proof.kind]}), ${seconds} s`;
}

function explainFileError(error: unknown, folder: string): unknown {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return error;
  const advice =
    error.code === "ENOSPC" || error.code === "EDQUOT"
      ? "Free space there, or set `backupFolder` to a folder with more of it."
      : "Make it writable for this user, or set `backupFolder` to another folder.";
  return new UserError(
    "PS812",
    `The backup cannot be written to ${folder} (${String(error.code)}). ${advice} Nothing was changed.`,
    { cause: error },
  );
}
