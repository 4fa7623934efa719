/**
 * `npm run restore -- <backup> [--stack <name>] [--folder <path>] [--into <database>]
 * [--from-other-database] [--yes] [--json]`:
 * gives a stack the rows and the state of a backup. Exit code 0: done; 1: not done; 3: the person said no.
 */
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { isOfDatabase } from "../../provider/backup/identity.ts";
import type { Stored } from "../../provider/backup/record.ts";
import { UserError } from "../../provider/core/errors.ts";
import { hasOwnBackend, processEnvironment } from "../lib/environment.ts";
import { printReport, runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { currentStack } from "../lib/pulumi.ts";
import { restoreStack } from "../lib/restoreStack.ts";
import { findBackup } from "../lib/stackBackups.ts";
import { databasesMeant, type MeantDatabase, readStack, withSetUrl } from "../lib/stackDatabase.ts";
import { parseProviders } from "../lib/stackState.ts";

const USAGE =
  "npm run restore -- <backup> [--stack <name>] [--folder <path>] [--into <database>] [--from-other-database] [--yes] [--json], with a name of `npm run backups`, or latest";
const DECLINED = 3;

await runMain(USAGE, async () => {
  const { name, stack: named, folder, into, yes, json, "from-other-database": isFromOther } = options();
  const env = hasOwnBackend(process.env) ? process.env : processEnvironment(projectRoot);
  const stack = named ?? (await currentStack(projectRoot, env));
  const say = (line: string): void => console.error(line);
  const { state: last, settings } = await readStack({ folder: projectRoot, stack, env });
  const state = isFromOther ? last : await withSetUrl(last, settings.databaseUrl, stack);
  const databases = await databasesMeant(projectRoot, state, settings);
  const meant = { root: projectRoot, stack, providers: parseProviders(state), settings, folder, databases };
  const backup = await findBackup(name, meant, { isFromOther, say });
  const done = await restoreStack({
    ...{ root: projectRoot, stack, env, backup, isFromOther, into, say },
    url: targetOf(backup, databases, stack),
    confirm: async (question) => yes || (await ask(question)),
  });
  if (done === undefined) {
    console.error("Nothing was changed.");
    process.exitCode = DECLINED;
    return;
  }
  if (json) printReport(JSON.stringify(done, null, 2));
  else {
    const total = done.stages.reduce((sum, { seconds }) => sum + seconds, 0);
    const stages = done.stages.map((stage) => `${stage.name} ${stage.seconds.toFixed(1)} s`).join(", ");
    console.log(`${done.database} has the rows of ${done.backup}. Took ${total.toFixed(1)} s: ${stages}.`);
    if (done.keptAs !== null)
      console.log(`The database as it was is ${done.keptAs}; drop it once it is not needed any more.`);
  }
});

/** The database that the backup is of; of another one, the only one that the stack has. */
function targetOf({ record }: Stored, databases: readonly MeantDatabase[], stack: string): string {
  const only = databases.length === 1 ? databases[0] : undefined;
  const found = databases.find((known) => isOfDatabase(record, known)) ?? only;
  if (found !== undefined) return found.url;
  throw new UserError(
    "PS701",
    `The stack ${stack} has ${databases.length} databases, and none is ${record.database}, which the backup is of. Expected one that is: nothing tells which one is to be replaced.`,
  );
}

async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UserError(
      "PS706",
      "The restore asks before it begins, and nobody can answer here. Run it in a terminal, or with --yes.",
    );
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        stack: { type: "string" },
        folder: { type: "string" },
        into: { type: "string" },
        "from-other-database": { type: "boolean", default: false },
        yes: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) throw new Error(`Found ${positionals.length} names of backups.`);
    return { name, ...values };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
