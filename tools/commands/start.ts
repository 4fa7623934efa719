/**
 * `npm start`: sets all up, then previews the program and applies it to the local database. Each stage is
 * left to a file of `lib/` or `setup/`.
 */
import { requireOwnHome } from "../lib/environment.ts";
import { prepareLocalBackup, startLocalDatabase } from "../lib/localDatabase.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { previewStack } from "../lib/preview.ts";
import { askPulumi, runPulumi } from "../lib/pulumi.ts";
import { filterSalt, settleStackFile } from "../lib/stackFile.ts";
import { formatSummary, readSummary, type Stage } from "../lib/summary.ts";
import { makeBundles } from "../setup/bundles.ts";
import { ensurePulumi } from "../setup/index.ts";

const USAGE = "npm start";

const NEXT = [
  ['eval "$(npm run -s env)"', "the plain pulumi works in this shell"],
  ["pulumi preview --diff", "the exact SQL of what would change"],
  ['psql "$(npm run -s url)"', "opens the local database"],
] as const;

await runMain(USAGE, async () => {
  const root = projectRoot;
  const stages: Stage[] = [];
  const stage = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    console.log(`\n── ${name}`);
    const start = performance.now();
    const result = await work();
    stages.push({ name, elapsedMs: performance.now() - start });
    return result;
  };

  await stage("set-up", async () => {
    requireOwnHome(root);
    await filterSalt(root);
    const { network } = await ensurePulumi({ root, log: (line) => console.log(line) });
    await makeBundles(root, (line) => console.log(line));
    await prepareLocalBackup(root, (line) => console.log(line));
    console.log(
      network === "open" ? "Pulumi is ready." : "Pulumi is ready, with parts that were built here (closed network).",
    );
  });
  const { url } = await stage("local database", async () => {
    const database = await startLocalDatabase(root);
    const { version, port, directory } = database.server;
    const did = database.wasRunning ? "runs already" : "started";
    console.log(`PostgreSQL ${version} ${did} on 127.0.0.1:${port}, in ${directory}`);
    return database;
  });
  await stage("stack", async () => {
    await askPulumi(root, ["stack", "select", "dev", "--create", "--secrets-provider", "passphrase"]);
    console.log("The stack dev is selected.");
  });
  const changes = await stage("preview", () => previewStack(root, "dev"));
  // The update notes whether files differ from their commit.
  await settleStackFile(root);
  if (changes) await stage("update", () => runPulumi(root, ["up", "--stack", "dev", "--yes", "--skip-preview"]));
  await settleStackFile(root);

  const summary = await readSummary(url);
  console.log(`\n${formatSummary({ summary, url, changed: changes, stages, next: NEXT })}`);
});
