/**
 * `npm run reset`: removes the local database and the state of the stack `dev`. The set-up, the passphrase
 * and other stacks stay.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { requireOwnHome } from "../lib/environment.ts";
import { removeLocalDatabase } from "../lib/localDatabase.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { askPulumi } from "../lib/pulumi.ts";
import { layoutOf } from "../setup/layout.ts";

const USAGE = "npm run reset";

await runMain(USAGE, async () => {
  requireOwnHome(projectRoot);
  const removed = await removeLocalDatabase(projectRoot);
  if (await removeStack()) removed.push("the state of the stack dev");
  console.log(
    removed.length === 0
      ? "There was nothing to remove."
      : `Removed:\n${removed.map((what) => `  ${what}`).join("\n")}`,
  );
  if (removed.length > 0) console.log("`npm start` creates them again.");
});

async function removeStack(): Promise<boolean> {
  if (!existsSync(join(layoutOf(projectRoot).state, ".pulumi"))) return false;
  const stacks: unknown = JSON.parse(await askPulumi(projectRoot, ["stack", "ls", "--json"]));
  const hasDev = Array.isArray(stacks) && stacks.some((stack: { name?: unknown }) => stack.name === "dev");
  // By force, because what the state speaks of went with the database.
  if (hasDev) await askPulumi(projectRoot, ["stack", "rm", "dev", "--yes", "--force", "--preserve-config"]);
  return hasDev;
}
