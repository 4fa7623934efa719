/**
 * `npm run backups -- [--stack <name>] [--folder <path>] [--json]`: the complete backups of a stack, the
 * newest first, with age, size and proof, and which ones are of the database that it has now.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { formatBackups } from "../lib/backupText.ts";
import { hasOwnBackend, processEnvironment } from "../lib/environment.ts";
import { printReport, runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { currentStack } from "../lib/pulumi.ts";
import { backupsOf, foldersOf, unreadableLine } from "../lib/stackBackups.ts";
import { databasesMeant, readStack } from "../lib/stackDatabase.ts";
import { parseProviders } from "../lib/stackState.ts";

const USAGE = "npm run backups -- [--stack <name>] [--folder <path>] [--json]";

await runMain(USAGE, async () => {
  const { stack: named, folder, json } = options();
  const env = hasOwnBackend(process.env) ? process.env : processEnvironment(projectRoot);
  const stack = named ?? (await currentStack(projectRoot, env));
  const { state, settings } = await readStack({ folder: projectRoot, stack, env });
  const meant = { root: projectRoot, stack, providers: parseProviders(state), settings, folder };
  const folders = foldersOf(meant);
  const databases = await databasesMeant(projectRoot, state, settings);
  const { backups, unreadable } = await backupsOf({ ...meant, databases });
  for (const { target } of databases.filter(({ hasAnswered }) => !hasAnswered))
    console.error(`warning: ${target.label} does not answer; its backups are told by host, port and name`);
  for (const path of unreadable) console.error(unreadableLine(path));
  if (json) {
    const now = Date.now();
    const listed = backups.map(({ folder: place, record, isOfThisDatabase }) => ({
      ...record,
      folder: place,
      isOfThisDatabase,
      ageSeconds: Math.round((now - Date.parse(record.takenAt)) / 1000),
    }));
    printReport(JSON.stringify({ stack, folders, backups: listed, unreadable }, null, 2));
  } else if (backups.length === 0) console.log(`No backup of the stack ${stack} lies in ${folders.join(", ")}.`);
  else console.log(formatBackups(backups));
});

function options(): { stack: string | undefined; folder: string | undefined; json: boolean } {
  try {
    const { values } = parseArgs({
      options: { stack: { type: "string" }, folder: { type: "string" }, json: { type: "boolean", default: false } },
    });
    return { stack: values.stack, folder: values.folder, json: values.json };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
