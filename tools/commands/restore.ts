/**
 * `npm run restore -- <backup> [--stack <name>] [--folder <path>] [--into <database>] [--yes] [--json]`:
 * gives a stack the rows and the state of a backup. Exit code 0: done; 1: not done; 3: the person said no.
 */
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { hasOwnBackend, processEnvironment } from "../lib/environment.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { askPulumi, currentStack } from "../lib/pulumi.ts";
import { restoreStack } from "../lib/restoreStack.ts";
import { findBackup } from "../lib/stackBackups.ts";
import { parseProviders } from "../lib/stackState.ts";

const USAGE =
  "Expected: npm run restore -- <backup> [--stack <name>] [--folder <path>] [--into <database>] [--yes] [--json], with a name of `npm run backups`, or latest";
const DECLINED = 3;

await runMain(async () => {
  const { name, stack: named, folder, into, yes, json } = options();
  const env = hasOwnBackend(process.env) ? process.env : processEnvironment(projectRoot);
  const stack = named ?? (await currentStack(projectRoot, env));
  const state = await askPulumi(projectRoot, ["stack", "export", "--show-secrets", "--stack", stack], env);
  const providers = parseProviders(state);
  const backup = await findBackup(name, { root: projectRoot, stack, providers, folder });
  const done = await restoreStack({
    root: projectRoot,
    stack,
    env,
    backup,
    providers: providers.length > 0 ? providers : await configured(stack, env),
    into,
    confirm: async (question) => yes || (await ask(question)),
    say: (line) => console.error(line),
  });
  if (done === undefined) {
    console.error("Nothing was changed.");
    process.exitCode = DECLINED;
    return;
  }
  if (json) console.log(JSON.stringify(done, null, 2));
  else {
    const total = done.stages.reduce((sum, { seconds }) => sum + seconds, 0);
    const stages = done.stages.map((stage) => `${stage.name} ${stage.seconds.toFixed(1)} s`).join(", ");
    console.log(`${done.database} has the rows of ${done.backup}. Took ${total.toFixed(1)} s: ${stages}.`);
    if (done.keptAs !== null)
      console.log(`The database as it was is ${done.keptAs}; drop it once it is not needed any more.`);
  }
});

/** Of a stack whose state names no database any more, as after a destroy. */
async function configured(stack: string, env: NodeJS.ProcessEnv) {
  try {
    const url = await askPulumi(projectRoot, ["config", "get", "databaseUrl", "--stack", stack], env);
    return [{ url: url.trim() }];
  } catch {
    const { localDatabaseUrl } = await import("../lib/localDatabase.ts");
    return [{ url: await localDatabaseUrl(projectRoot) }];
  }
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
        yes: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) throw new Error(`Found ${positionals.length} names of backups.`);
    return { name, ...values };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}
