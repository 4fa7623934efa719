import { projectRoot } from "../../tools/lib/paths.ts";
import { makeBundles } from "../../tools/setup/bundles.ts";
import { ensurePulumi } from "../../tools/setup/index.ts";

/**
 * The real CLI and the plugins, as `npm start` sets them up: minutes in a fresh checkout, nothing to do
 * later.
 */
export default async function setup(): Promise<void> {
  const log = (line: string) => console.log(line);
  await ensurePulumi({ root: projectRoot, log });
  await makeBundles(projectRoot, log);
}
