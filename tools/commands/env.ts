import { pulumiEnvironment, shellExports } from "../lib/environment.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";

/** `eval "$(npm run -s env)"`: makes the plain `pulumi` work in the shell. */
await runMain(async () => {
  console.log(shellExports(pulumiEnvironment(projectRoot)));
});
