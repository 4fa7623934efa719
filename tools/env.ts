import { pulumiEnvironment, shellExports } from "./environment.ts";
import { runMain } from "./main.ts";
import { projectRoot } from "./paths.ts";

/** `eval "$(npm run -s env)"`: makes the plain `pulumi` work in the shell. */
await runMain(async () => {
  console.log(shellExports(pulumiEnvironment(projectRoot)));
});
