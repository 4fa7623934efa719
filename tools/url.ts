import { localDatabaseUrl } from "./localDatabase.ts";
import { runMain } from "./main.ts";
import { projectRoot } from "./paths.ts";

/** `npm run -s url`: prints the URL of the local database and nothing else. */
await runMain(async () => {
  console.log(await localDatabaseUrl(projectRoot));
});
