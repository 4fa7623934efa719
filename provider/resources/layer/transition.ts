/**
 * From which facts to which an update of a layer leads: renames first, then the desired state, in forms that
 * the database knows. Statements are left to `plan/`.
 */
import type { FactBase } from "../../catalog/pgDelta.ts";
import type { Catalog } from "../../catalog/readCatalog.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import { hasUnknownForm } from "../../contribution/forms.ts";
import { type ContributionRecord, isAsRecorded, mergeRecords, ownedIds, partOf } from "../../contribution/record.ts";
import { locatedConversions } from "../../plan/conversions.ts";
import type { Transition } from "../../plan/transition.ts";
import { keysToClaim, type Moves } from "./handOver.ts";
import { keptTransition } from "./kept.ts";
import type { LayerMeaning } from "./meaning.ts";
import { withNewNames } from "./renames.ts";
import type { LayerRuntime } from "./runtime.ts";

export interface LayerTransition<Kept> extends Transition<Kept>, Moves {
  /** The database as it is, with what is kept of it as far as the plan has to do with that. */
  before: FactBase;
}

/**
 * What the layer wants of a database: first its renames, then what `desiredState` says.
 *
 * @param warn told what goes although no layer declares it.
 * @throws {UserError} as `desiredState` does, and for renames that cannot be made.
 */
export async function resolveTransition(
  runtime: LayerRuntime,
  meaning: LayerMeaning,
  database: Pick<Catalog, "facts" | "kept">,
  warn: (message: string) => void,
): Promise<LayerTransition<ContributionRecord>> {
  const { inputs } = meaning;
  const renamed = await withNewNames(runtime, meaning, database.facts);
  const { renames } = renamed;
  const {
    takenBack,
    keeping,
    live,
    earlier: known,
    ...kept
  } = keptTransition(runtime, meaning, database, renamed, warn);
  const claimed = await claimedFromOthers(runtime, { ...meaning, earlier: known }, live);
  const earlier = mergeRecords(known, claimed);
  const isMoving = renames.length > 0 || takenBack !== undefined;
  const contribution = isMoving ? meaning.contribution : await inKnownForms(runtime, { ...meaning, earlier }, live);
  const { located: conversions } = locatedConversions(
    meaning.sources.conversions,
    contribution.added.map(({ id }) => id),
  );
  const state = runtime.desiredStates.desiredState({ live, inputs, contribution, earlier }, warn);
  return {
    live,
    renames,
    takenBack,
    keeping,
    conversions,
    takenOver: claimed,
    ...state,
    ...kept,
    approvals: [...(state.approvals ?? []), ...(takenBack?.approvals ?? [])],
  };
}

/** What the layer finds in the database and another one made, as the ledgers tell. */
async function claimedFromOthers(
  runtime: LayerRuntime,
  { contribution, earlier, ledger }: LayerMeaning,
  live: FactBase,
): Promise<ContributionRecord | undefined> {
  const keys = ledger === undefined ? new Set<string>() : keysToClaim(live, contribution, earlier);
  if (ledger === undefined || keys.size === 0) return undefined;
  const known = await ledger.readOthers(await runtime.knownTarget().pool());
  const claimed = known && partOf(known, (key) => keys.has(key));
  return claimed === undefined || ownedIds(claimed).length === 0 ? undefined : claimed;
}

/**
 * The contribution, knowing the form of each definition that the database holds otherwise than the layer and
 * its record. A shadow has them under the new names only, so none is asked while names are to change.
 */
async function inKnownForms(
  runtime: LayerRuntime,
  { inputs, sources, contribution, earlier }: LayerMeaning,
  live: FactBase,
): Promise<Contribution> {
  const unknown = contribution.added.flatMap((declared) => {
    const found = live.get(declared.id);
    if (found === undefined || (earlier !== undefined && isAsRecorded(found, earlier))) return [];
    return hasUnknownForm(found, declared, contribution.forms) ? [found] : [];
  });
  return unknown.length === 0 ? contribution : runtime.contributionInForms(unknown, live, inputs, sources);
}
