// Sets Pulumi up for this checkout and prints where it is: `node tools/setup/main.ts`.
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { ensurePulumi } from "./index.ts";

await runMain("node tools/setup/main.ts", async () => {
  const started = performance.now();
  const elapsed = () => `${((performance.now() - started) / 1000).toFixed(2)} s`;
  const home = await ensurePulumi({ root: projectRoot, log: (line) => console.error(`[${elapsed()}] ${line}`) });
  console.error(`Pulumi is set up (${home.network} network), ${elapsed()}`);
  console.log(JSON.stringify(home, null, 2));
});
