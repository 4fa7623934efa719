/** Pins the digest of a plan for one run, without a change of the stack's own settings. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askPulumi } from "../lib/pulumi.ts";

/** Arguments for `pulumi preview` and `pulumi up`, and what is to be removed afterwards. */
export interface PinnedSettings {
  args: string[];
  remove(): void;
}

export async function pinPlan(
  folder: string,
  stack: string,
  env: NodeJS.ProcessEnv,
  approvedPlan: string | undefined,
): Promise<PinnedSettings> {
  if (approvedPlan === undefined) return { args: [], remove: () => {} };
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-settings-"));
  const file = join(directory, "Pulumi.yaml");
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const args = ["--config-file", file];
  try {
    const own = join(folder, `Pulumi.${stack.split("/").at(-1)}.yaml`);
    if (existsSync(own)) copyFileSync(own, file);
    else writeFileSync(file, "");
    await askPulumi(folder, ["config", "set", "approvedPlan", approvedPlan, "--stack", stack, ...args], env);
    return { args, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
