/**
 * `npm run -s url -- [audit]`: prints the URL of the local database and nothing else; with `audit` that of
 * the database for a stack of the part `audit`, which is made on first use.
 */
import { UserError } from "../../provider/core/errors.ts";
import { createLocalDatabase, localDatabaseUrl } from "../lib/localDatabase.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";

const USAGE = "npm run -s url -- [audit]";

await runMain(USAGE, async () => {
  const [part, ...more] = process.argv.slice(2);
  if (more.length > 0 || (part !== undefined && part !== "audit"))
    throw new UserError("PS706", `Found ${process.argv.slice(2).join(" ")}.\nExpected: ${USAGE}`);
  console.log(await (part === undefined ? localDatabaseUrl(projectRoot) : createLocalDatabase(projectRoot, part)));
});
