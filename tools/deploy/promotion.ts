/**
 * What has to hold before a stack gets what another one has verified. Whether it is the same desired state is
 * compared by the gate of the stack that gets it, in the preview and once more before its first change.
 */
import { z } from "zod";
import { UserError } from "../../provider/core/errors.ts";
import { askPulumi } from "../lib/pulumi.ts";
import { readStackSettings } from "../lib/stackSettings.ts";
import { stateResources } from "../lib/stackState.ts";

const release = z.object({
  desired: z.string(),
  result: z.string(),
  verifiedAt: z.string(),
  commit: z.string().nullish(),
});
const outputs = z.object({ release: release.optional() });

/**
 * @returns what is promoted, in one line.
 * @throws {UserError} where the one stack has verified nothing, or the other one would not ask for it.
 */
export async function requireVerified(
  folder: string,
  { from, to }: { from: string; to: string },
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const [settings, printed, state] = await Promise.all([
    readStackSettings(folder, to, env),
    askPulumi(folder, ["stack", "output", "--json", "--stack", from], env),
    askPulumi(folder, ["stack", "export", "--stack", from], env),
  ]);
  if (settings.promoteFrom?.split("/").at(-1) !== from.split("/").at(-1)) {
    throw refused(
      `The gate of stack ${to} asks for ${settings.promoteFrom === undefined ? "no stack before it" : `stack ${settings.promoteFrom}`}, expected ${from}.`,
      `pulumi config set promoteFrom ${from} --stack ${to}`,
    );
  }
  const parsed = outputs.safeParse(JSON.parse(printed));
  const verified = parsed.data?.release;
  const mend = `npm run deploy -- --stack ${from}`;
  if (verified === undefined) throw refused(`Stack ${from} exports no verified release.`, mend);
  const { desired, result, verifiedAt, commit } = verified;
  // What a failed update has verified is in its state; it exports what the one before it did.
  const last = stateResources(state).filter(({ type }) => type === "pgstrata:index:Verification");
  if (last.length === 0) throw refused(`The state of stack ${from} has no verification any more.`, mend);
  const found = [...last.map(({ outputs }) => outputs), { result, verifiedAt }].find(
    ({ result }) => result !== "PASS" && result !== "WARNING",
  );
  if (found !== undefined) {
    const said = `The last verification of stack ${from}, at ${String(found.verifiedAt)}, says ${String(found.result)}, expected PASS.`;
    throw refused(said, mend);
  }
  return `Promotes ${desired} from ${from} to ${to}: ${result} at ${verifiedAt}, commit ${commit || "not known"}.`;
}

const refused = (found: string, mend: string): UserError =>
  new UserError("PS843", `${found} Nothing was changed. Run:\n  ${mend}`);
