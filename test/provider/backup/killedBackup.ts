/** Takes a backup, and is killed meanwhile. */
import { takeBackup } from "../../../provider/backup/takeBackup.ts";
import { takeRunLock } from "../../../provider/database/runLock.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";

const [, , url = "", folder = ""] = process.argv;
const database = openDatabase({ url });
if (database === undefined) throw new Error("no URL");
const report = { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} };
const { signal } = new AbortController();
const { backup } = parseConfig({ url, backup: "dump", backupFolder: folder }).config;
const lock = await takeRunLock(database, 1, { report, signal });
await takeBackup({
  settings: backup,
  database,
  lock,
  lockWaitMs: 1000,
  stack: "prod",
  project: "shop",
  projectDirectory: process.cwd(),
  report,
  signal,
});
