/**
 * Where the backups of a stack lie, and which one a person means. What they hold is told by
 * `provider/backup/record.ts`, and which database they are of by `provider/backup/identity.ts`.
 */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { listFolder } from "../../provider/backup/backupFiles.ts";
import { backupFolder } from "../../provider/backup/folder.ts";
import { isOfDatabase, type KnownDatabase } from "../../provider/backup/identity.ts";
import type { Stored } from "../../provider/backup/record.ts";
import { UserError } from "../../provider/core/errors.ts";
import type { Properties } from "../../provider/core/resourceType.ts";
import { localBackup } from "./localDatabase.ts";
import type { StackSettings } from "./stackSettings.ts";

/** The backups of a stack as a command means them. */
export interface StackBackups {
  root: string;
  stack: string;
  /** Inputs of its providers, as its state has them. */
  providers: readonly Properties[];
  settings: Pick<StackSettings, "databaseUrl" | "backupFolder">;
  /** In place of the folders that the settings and the providers name. */
  folder?: string | undefined;
  /** The databases of the stack. */
  databases: readonly KnownDatabase[];
}

/** A backup of the stack, and whether it is of a database that the stack has now. */
export interface StackBackup extends Stored {
  isOfThisDatabase: boolean;
}

/**
 * Those that the next backup goes to and the last ones went to.
 *
 * @throws {UserError} where the folder that a person has given is not there.
 */
export function foldersOf({ root, providers, settings, folder }: Omit<StackBackups, "databases">): string[] {
  if (folder !== undefined) {
    const given = resolve(folder);
    if (statSync(given, { throwIfNoEntry: false })?.isDirectory()) return [given];
    throw new UserError("PS706", `Found no folder ${given}, expected one with backups. Correct --folder.`);
  }
  const project = projectName(root);
  const next =
    settings.backupFolder ?? (settings.databaseUrl === undefined ? localBackup(root).backupFolder : undefined);
  const last = providers.map(({ backupFolder: own }) => (typeof own === "string" && own !== "" ? own : undefined));
  const folders = [next, ...last].map((own) => backupFolder({ folder: own }, { project, projectDirectory: root }));
  return [...new Set(folders)];
}

/** A backup whose record is broken must not be missed in silence. */
export const unreadableLine = (path: string): string =>
  `warning: ${path} is not the record of a backup as pgstrata writes it; that backup does not count`;

interface Listed {
  backups: StackBackup[];
  unreadable: string[];
}

/** The complete backups of the stack, the newest first, and the paths of records that cannot be read. */
export async function backupsOf(options: StackBackups): Promise<Listed> {
  const { stack, databases } = options;
  const project = projectName(options.root);
  const found = await Promise.all(foldersOf(options).map(listFolder));
  const backups = found
    .flatMap((each) => each.backups)
    .filter(({ record }) => record.project === project && record.stack === stack)
    .sort((one, other) => other.record.takenAt.localeCompare(one.record.takenAt))
    .map((each) => withDatabase(each, databases));
  return { backups, unreadable: found.flatMap((each) => each.unreadable) };
}

/**
 * @param text a name, `latest` for the newest one of this database, or the path of one of its files.
 * @param isFromOther a backup of another database or of another stack is meant; `latest` is none then.
 * @throws {UserError} where there is none.
 */
export async function findBackup(
  text: string,
  options: StackBackups,
  { isFromOther, say }: { isFromOther: boolean; say: (line: string) => void },
): Promise<Stored> {
  const path = text.includes("/") ? dirname(resolve(text)) : undefined;
  const name = basename(text).replace(/\.(dump|state\.json|json)$/, "");
  const { backups, unreadable } = path === undefined ? await backupsOf(options) : await inFolder(path, options);
  for (const file of unreadable) say(unreadableLine(file));
  if (text === "latest") {
    const found = isFromOther ? undefined : backups.find(({ isOfThisDatabase }) => isOfThisDatabase);
    if (found !== undefined) return found;
    throw isFromOther ? unnamed() : noneOfThis(backups, options);
  }
  const found = backups.find(({ record }) => record.name === name);
  if (found === undefined) throw notFound(name, path ?? foldersOf(options).join(", "), unreadable);
  if (!isFromOther) refuseOther(found, options);
  return found;
}

/** Of any stack. */
async function inFolder(path: string, { databases }: StackBackups): Promise<Listed> {
  const { backups, unreadable } = await listFolder(path);
  return { backups: backups.map((each) => withDatabase(each, databases)), unreadable };
}

const withDatabase = (backup: Stored, databases: readonly KnownDatabase[]): StackBackup => ({
  ...backup,
  isOfThisDatabase: databases.some((known) => isOfDatabase(backup.record, known)),
});

function refuseOther({ record, isOfThisDatabase }: StackBackup, { root, stack, databases }: StackBackups): void {
  const project = projectName(root);
  const isOfStack = record.project === project && record.stack === stack;
  if (isOfStack && isOfThisDatabase) return;
  const found = isOfStack
    ? `the database ${record.database}; expected one of ${labelsOf(databases)}`
    : `the stack ${record.stack} of ${record.project}; expected one of the stack ${stack} of ${project}`;
  throw new UserError(
    "PS819",
    `The backup ${record.name} is of ${found}. Nothing was changed. ` +
      "Give --from-other-database where its rows are meant all the same: the stack's state then stays as it is.",
  );
}

function noneOfThis(others: readonly StackBackup[], options: StackBackups): UserError {
  const where = foldersOf(options).join(", ");
  const [newest] = others;
  if (newest === undefined) {
    return new UserError(
      "PS817",
      `No complete backup of the stack ${options.stack} lies in ${where}. Expected one that an update has taken; give another folder with --folder.`,
    );
  }
  return new UserError(
    "PS819",
    `No backup in ${where} is of ${labelsOf(options.databases)}; the newest of a stack ${options.stack}, ${newest.record.name}, is of ${newest.record.database}. ` +
      "Nothing was changed. Give another folder with --folder, or the name of a backup and --from-other-database where its rows are meant all the same.",
  );
}

const unnamed = (): UserError =>
  new UserError(
    "PS706",
    "Found `latest` with --from-other-database, expected the name of a backup: `npm run backups` lists them, with their databases.",
  );

function notFound(name: string, where: string, unreadable: readonly string[]): UserError {
  const broken = unreadable.find((file) => basename(file) === `${name}.json`);
  return new UserError(
    "PS817",
    broken === undefined
      ? `No complete backup is called "${name}" in ${where}. Expected a name that \`npm run backups\` lists, or the path of one.`
      : `The record ${broken} of the backup cannot be read. Expected it as it was written: put it back from a copy, or take another backup.`,
  );
}

const labelsOf = (databases: readonly KnownDatabase[]): string =>
  databases.map(({ target }) => target.label).join(", ");

function projectName(root: string): string {
  const text = readFileSync(join(root, "Pulumi.yaml"), "utf8");
  return /^name:\s*["']?([^\s"']+)/m.exec(text)?.[1] ?? "";
}
