/**
 * `eval "$(npm run -s env)"`: makes the plain `pulumi` work in the shell, on the shell's state backend if it
 * names one. Which variables that takes is decided in `lib/environment.ts`.
 */
import { hasOwnBackend, pulumiEnvironment, shellExports } from "../lib/environment.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";

const USAGE = 'eval "$(npm run -s env)"';

await runMain(USAGE, async () => {
  console.log(shellExports(pulumiEnvironment(projectRoot, process.env)));
  if (hasOwnBackend(process.env)) {
    console.error("PULUMI_BACKEND_URL and the passphrase stay as they are set; this checkout's own state is not used.");
  }
});
