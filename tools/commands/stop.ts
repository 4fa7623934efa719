/** `npm stop`: stops the local database; `npm start` starts it again with all that is in it. */
import { requireOwnHome } from "../lib/environment.ts";
import { stopLocalDatabase } from "../lib/localDatabase.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";

const USAGE = "npm stop";

await runMain(USAGE, async () => {
  requireOwnHome(projectRoot);
  const wasRunning = await stopLocalDatabase(projectRoot);
  console.log(wasRunning ? "The local database is stopped; its data stay." : "The local database was not running.");
});
