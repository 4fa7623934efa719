/** Where backups lie. What is in the folder is left to `backupFiles.ts`. */
import { isAbsolute, join, resolve } from "node:path";
import type { BackupSettings } from "../core/config.ts";
import { dataFolder } from "../core/userFolders.ts";

/** The folder of the settings; without one, that of the project among the user's data. */
export function backupFolder(
  { folder }: Pick<BackupSettings, "folder">,
  { project, projectDirectory }: { project: string; projectDirectory: string },
): string {
  if (folder !== undefined) return isAbsolute(folder) ? folder : resolve(projectDirectory, folder);
  return join(dataFolder(process.env), "backups", project.replaceAll(/[^\w-]/g, "_"));
}
