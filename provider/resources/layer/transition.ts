import type { FactBase } from "../../catalog/pgDelta.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import { hasUnknownForm } from "../../contribution/forms.ts";
import { type ContributionRecord, isAsRecorded } from "../../contribution/record.ts";
import { locatedConversions } from "../../plan/conversions.ts";
import type { Rename } from "../../plan/renames/renames.ts";
import type { Transition } from "../../plan/transition.ts";
import type { LayerMeaning } from "./meaning.ts";
import { withNewNames } from "./renames.ts";
import type { LayerRuntime } from "./runtime.ts";

/**
 * What the layer wants of a database: first its renames, then what `desiredState` says.
 *
 * @param warn told what goes although no layer declares it.
 * @throws {UserError} as `desiredState` does, and for renames that cannot be made.
 */
export async function resolveTransition(
  runtime: LayerRuntime,
  meaning: LayerMeaning,
  database: FactBase,
  warn: (message: string) => void,
): Promise<Transition<ContributionRecord>> {
  const { inputs } = meaning;
  const { live, earlier, renames } = await withNewNames(runtime, meaning, database);
  const contribution = await inKnownForms(runtime, { ...meaning, earlier }, live, renames);
  const { located: conversions } = locatedConversions(
    meaning.sources.conversions,
    contribution.added.map(({ id }) => id),
  );
  return {
    live,
    renames,
    conversions,
    ...runtime.desiredStates.desiredState({ live, inputs, contribution, earlier }, warn),
  };
}

/**
 * The contribution, knowing the form of each definition that the database holds otherwise than the layer and
 * its record. A shadow has them under the new names only, so none is asked while renames are pending.
 */
async function inKnownForms(
  runtime: LayerRuntime,
  { inputs, sources, contribution, earlier }: LayerMeaning,
  live: FactBase,
  renames: readonly Rename[],
): Promise<Contribution> {
  if (renames.length > 0) return contribution;
  const unknown = contribution.added.flatMap((declared) => {
    const found = live.get(declared.id);
    if (found === undefined || (earlier !== undefined && isAsRecorded(found, earlier))) return [];
    return hasUnknownForm(found, declared, contribution.forms) ? [found] : [];
  });
  return unknown.length === 0 ? contribution : runtime.contributionInForms(unknown, live, inputs, sources);
}
