/** `npm run -s url`: prints the URL of the local database and nothing else. */
import { localDatabaseUrl } from "../lib/localDatabase.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";

await runMain(async () => {
  console.log(await localDatabaseUrl(projectRoot));
});
