/**
 * `npm run backups -- [--stack <name>] [--folder <path>] [--json]`: the complete backups of a stack, the
 * newest first, with age, size and proof.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { formatBackups } from "../lib/backupText.ts";
import { hasOwnBackend, processEnvironment } from "../lib/environment.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { askPulumi, currentStack } from "../lib/pulumi.ts";
import { backupsOf, foldersOf } from "../lib/stackBackups.ts";
import { parseProviders } from "../lib/stackState.ts";

await runMain(async () => {
  const { stack: named, folder, json } = options();
  const env = hasOwnBackend(process.env) ? process.env : processEnvironment(projectRoot);
  const stack = named ?? (await currentStack(projectRoot, env));
  const providers = parseProviders(await askPulumi(projectRoot, ["stack", "export", "--stack", stack], env));
  const meant = { root: projectRoot, stack, providers, folder };
  const backups = await backupsOf(meant);
  if (json) {
    const now = Date.now();
    const listed = backups.map(({ folder: place, record }) => ({
      ...record,
      folder: place,
      ageSeconds: Math.round((now - Date.parse(record.takenAt)) / 1000),
    }));
    console.log(JSON.stringify({ stack, folders: foldersOf(meant), backups: listed }, null, 2));
  } else if (backups.length === 0)
    console.log(`No backup of the stack ${stack} lies in ${foldersOf(meant).join(", ")}.`);
  else console.log(formatBackups(backups));
});

function options(): { stack: string | undefined; folder: string | undefined; json: boolean } {
  try {
    const { values } = parseArgs({
      options: { stack: { type: "string" }, folder: { type: "string" }, json: { type: "boolean", default: false } },
    });
    return { stack: values.stack, folder: values.folder, json: values.json };
  } catch (error) {
    throw new UserError(
      "PS706",
      `${error instanceof Error ? error.message : String(error)}\nExpected: npm run backups -- [--stack <name>] [--folder <path>] [--json]`,
    );
  }
}
