import { requireOwnHome } from "./environment.ts";
import { stopLocalDatabase } from "./localDatabase.ts";
import { runMain } from "./main.ts";
import { projectRoot } from "./paths.ts";

/** `npm stop`: stops the local database; `npm start` starts it again with all that is in it. */
await runMain(async () => {
  requireOwnHome(projectRoot);
  const wasRunning = await stopLocalDatabase(projectRoot);
  console.log(wasRunning ? "The local database is stopped; its data stay." : "The local database was not running.");
});
