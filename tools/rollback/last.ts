/**
 * `rollback last`: makes the database what the last successful, verified update before the present one made
 * it, with the files of that update. What may be lost is asked by the plan, as in any update.
 */
import { readFile } from "node:fs/promises";
import { UserError } from "../../provider/core/errors.ts";
import { type StackPlan, totalsOf } from "../../provider/report/stackPlan.ts";
import { planAsText } from "../../provider/report/text.ts";
import { parsePreview } from "../lib/previewOutput.ts";
import { askPulumi, previewAsJson } from "../lib/pulumi.ts";
import { confirm } from "../lib/question.ts";
import { shellCommand } from "../lib/shell.ts";
import type { Answers } from "./components.ts";
import { commitOf, findEarlier, isDirty, parseHistory, returnTo, type Update } from "./history.ts";
import { decline, type Place, pulumiAt, type Say } from "./target.ts";
import { findTree, inWorktree, short, type Tree } from "./worktree.ts";

export interface LastReport {
  stack: string;
  /** When the update was made that the database is as after. */
  returnedTo: string;
  commit: string;
  /** Whether its files differed from the commit. */
  dirty: boolean;
  /** Such as `2 to update`. */
  changes: string;
  elapsedMs: number;
}

/** @param approve approvals of what may be lost. Undefined where an answer was no. */
export async function rollBackToLast(
  place: Place,
  { yes, approve }: Answers & { approve: readonly string[] },
  say: Say,
): Promise<LastReport | undefined> {
  const { target } = await chooseUpdate(place);
  const tree = await findTree(place, target);
  say(describe(target, tree));
  return inWorktree(place, tree, say, async (folder) => {
    const env = withApprovals(place.env, approve, target);
    const there: Place = { ...place, folder, env };
    const plan = await planned(there, { yes, target }, say);
    if (plan === undefined || (!yes && !(await confirm(`Bring stack ${place.stack} back to this update?`, "--yes")))) {
      return decline(say);
    }
    const started = performance.now();
    const up = ["up", "--stack", place.stack, "--yes", "--skip-preview", "--message", returnTo(target)];
    await pulumiAt({ ...there, env: plan.env }, up).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        "PS839",
        `The rollback was stopped. ${error.message}\nWhat it had done is kept. Run \`npm run rollback -- last --stack ${place.stack}\` again: it goes on to the ` +
          "same update; or `pulumi up` to go back to the files of this checkout.",
        { cause: error },
      );
    });
    return {
      stack: place.stack,
      returnedTo: target.startTime,
      commit: tree.commit,
      dirty: tree.patch !== undefined,
      changes: totalsOf(plan.plan),
      elapsedMs: performance.now() - started,
    };
  });
}

async function chooseUpdate(place: Place): Promise<{ target: Update }> {
  const { folder, env, stack } = place;
  // In the order of time, newest first; what is older than these is no "last" update.
  const list = ["stack", "history", "--json", "--stack", stack, "--page-size", "200"];
  const history = parseHistory(await askPulumi(folder, list, env));
  const files = new Map<Update, Files | undefined>();
  for (const each of history) files.set(each, await filesOf(place, each));
  const earlier = findEarlier(history, (one, other) => areSame(files.get(one), files.get(other)));
  if (earlier !== undefined) return earlier;
  throw new UserError(
    "PS837",
    `Stack ${stack} has no earlier update with other files that ended well. \`npm run rollback -- rls\`, \`databases\` or \`both\` takes components back.`,
  );
}

/** What tells the files of two updates apart. */
interface Files {
  commit: string;
  patch: string;
}

/** Undefined where they are not known: they are taken for other ones than any. */
async function filesOf(place: Place, update: Update): Promise<Files | undefined> {
  const commit = commitOf(update);
  if (commit === undefined) return undefined;
  if (!isDirty(update)) return { commit, patch: "" };
  const tree = await findTree(place, update).catch(() => undefined);
  if (tree === undefined) return undefined;
  return { commit, patch: tree.patch === undefined ? "" : await readFile(tree.patch, "utf8") };
}

const areSame = (one: Files | undefined, other: Files | undefined): boolean =>
  one !== undefined && one.commit === other?.commit && one.patch === other.patch;

function describe({ startTime, message }: Update, { commit, patch }: Tree): string {
  const files = patch === undefined ? "" : ", with the files that were not committed";
  return `Back to the update of ${startTime}: commit ${short(commit)}${files}. ${message.split("\n", 1)[0]}`.trimEnd();
}

/** The note tells apart what earlier runs have used. */
function withApprovals(env: NodeJS.ProcessEnv, approve: readonly string[], { startTime }: Update): NodeJS.ProcessEnv {
  if (approve.length === 0) return env;
  const note = `rollback to ${startTime}, ${new Date().toISOString()}`;
  return { ...env, PGSTRATA_ALLOW: approve.map((approval) => `${approval} (${note})`).join("\n") };
}

/** The plan that can be carried out, with the environment that approves of it; asks until it can. */
async function planned(
  place: Place,
  { yes, target }: Answers & { target: Update },
  say: Say,
): Promise<{ plan: StackPlan; env: NodeJS.ProcessEnv } | undefined> {
  const plan = parsePreview(await previewAsJson(place.folder, place.stack, place.env), place.stack);
  say(planAsText(plan));
  if (plan.errors.length === 0) return { plan, env: place.env };
  const missing = missingApprovals(plan);
  if (missing.length === 0 || place.env.PGSTRATA_ALLOW !== undefined)
    throw new UserError("PS839", "The plan of the rollback is stopped, as shown above. Nothing was changed.");
  const options = missing.map((approval) => shellCommand("--approve", approval)).join(" ");
  if (yes) {
    throw new UserError(
      "PS838",
      `The rollback would lose rows or block writes, as shown above. Nothing was changed. If that is intended, run it again with ${options}`,
    );
  }
  say("This loses rows or blocks writes:");
  for (const approval of missing) say(`  ${approval}`);
  if (!(await confirm("Approve of it?", options))) return undefined;
  return planned({ ...place, env: withApprovals(place.env, missing, target) }, { yes, target }, say);
}

/** What the lines of a plan need, each once. */
function missingApprovals({ layers }: StackPlan): string[] {
  const hazards = layers.flatMap(({ lines }) => lines.flatMap((line) => line.hazards));
  return [...new Set(hazards.filter(({ blocks }) => blocks).map(({ approval }) => approval))];
}
