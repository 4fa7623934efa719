/**
 * Where the backups of a stack lie, and which one a person means. What they hold is told by
 * `provider/backup/record.ts`.
 */
import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { listBackups } from "../../provider/backup/backupFiles.ts";
import type { Stored } from "../../provider/backup/record.ts";
import { backupFolder } from "../../provider/backup/takeBackup.ts";
import { UserError } from "../../provider/core/errors.ts";
import type { Properties } from "../../provider/core/resourceType.ts";

/** A stack as a command means it. */
export interface StackBackups {
  root: string;
  stack: string;
  /** Inputs of its providers, as its state has them. */
  providers: readonly Properties[];
  /** In place of the folders that the providers name. */
  folder?: string | undefined;
}

export function foldersOf({ root, providers, folder }: StackBackups): string[] {
  if (folder !== undefined) return [resolve(folder)];
  const project = projectName(root);
  const named = providers.map(({ backupFolder: own }) => (typeof own === "string" && own !== "" ? own : undefined));
  const folders = (named.length === 0 ? [undefined] : named).map((own) =>
    backupFolder({ folder: own }, { project, projectDirectory: root }),
  );
  return [...new Set(folders)];
}

/** The complete backups of the stack, the newest first. */
export async function backupsOf(options: StackBackups): Promise<Stored[]> {
  const project = projectName(options.root);
  const found = (await Promise.all(foldersOf(options).map(listBackups))).flat();
  return found
    .filter(({ record }) => record.project === project && record.stack === options.stack)
    .sort((one, other) => other.record.takenAt.localeCompare(one.record.takenAt));
}

/**
 * @param text a name, `latest`, or the path of one of its files.
 * @throws {UserError} where there is none.
 */
export async function findBackup(text: string, options: StackBackups): Promise<Stored> {
  const isPath = text.includes("/");
  const folder = isPath ? dirname(resolve(text)) : undefined;
  const name = basename(text).replace(/\.(dump|state\.json|json)$/, "");
  const backups = folder === undefined ? await backupsOf(options) : await listBackups(folder);
  const found = text === "latest" ? backups[0] : backups.find(({ record }) => record.name === name);
  if (found !== undefined) return found;
  const where = folder ?? foldersOf(options).join(", ");
  throw new UserError(
    "PS817",
    text === "latest"
      ? `No complete backup of the stack ${options.stack} lies in ${where}. Expected one that an update has taken; give another folder with --folder.`
      : `No complete backup is called "${name}" in ${where}. Expected a name that \`npm run backups\` lists, or the path of one.`,
  );
}

function projectName(root: string): string {
  const text = readFileSync(join(root, "Pulumi.yaml"), "utf8");
  return /^name:\s*["']?([^\s"']+)/m.exec(text)?.[1] ?? "";
}
