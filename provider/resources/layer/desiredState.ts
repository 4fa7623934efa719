/**
 * What the target should look like with a layer, and when that is refused. Renames come before it, in
 * `transition.ts`; statements are left to `plan/`.
 */
import { inheritanceOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase } from "../../catalog/pgDelta.ts";
import { asTable, columnId } from "../../catalog/tables.ts";
import {
  applyContribution,
  type Contribution,
  MissingBaseObject,
  removedFrom,
  revertContribution,
} from "../../contribution/contribution.ts";
import { undeclaredPublicGrants } from "../../contribution/publicGrants.ts";
import {
  type ContributionRecord,
  keysTakenBack,
  ownedIds,
  recordOf,
  reversalOf,
  withoutAdoptions,
} from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import { approvedBy } from "../../plan/approvals.ts";
import { leftRechecks, withoutLeftOvers } from "../../plan/recipeConstraints.ts";
import { handedOver, type Moves } from "./handOver.ts";
import type { LayerInputs } from "./inputs.ts";
import type { Ownership } from "./ownership.ts";
import { refuseConflictingTables, refuseDependents } from "./preconditions.ts";

/**
 * The database as the layer wants it: what it contributed before and no longer does is taken back (unless
 * another layer has it now, or an approval hands it over), what it contributes now is worked in, everything
 * else stays.
 *
 * @param warn told what goes although no layer declares it.
 * @throws {UserError} when the base does not exist, a table of another kind has the name, another layer
 *   declares the same, or objects of others depend on what is taken back.
 */
export function desiredState(
  live: FactBase,
  inputs: LayerInputs,
  contribution: Contribution,
  earlier: ContributionRecord | undefined,
  { ownership, warn }: { ownership: Ownership; warn: (message: string) => void },
): { desired: FactBase; record: ContributionRecord } & Moves {
  const record = recordOf(contribution, live, earlier);
  ownership.claim(inputs.name, record);
  const held = new Set([...ownedIds(record), ...ownership.heldByOthers(inputs.name)]);
  const left = earlier === undefined ? {} : handedOver(live, earlier, held, inputs.allow);
  const staying = new Set([...held, ...(left.handedOver === undefined ? [] : ownedIds(left.handedOver))]);
  const reversal = earlier === undefined ? undefined : reversalOf(withoutAdoptions(earlier), staying);
  ownership.takeBack(inputs.name, reversal === undefined ? [] : keysTakenBack(live, reversal));
  if (reversal !== undefined)
    refuseDependents(
      live,
      withoutHandedOver(removedFrom(live, reversal), contribution),
      new Set(Object.keys(record.added)),
      warn,
    );
  const rest = reversal === undefined ? live : revertContribution(live, reversal);
  try {
    // What is adopted is open to whom the layer says, and not to everybody because its maker was careless.
    const isAdopted = (key: string): boolean => key in record.added && !(earlier !== undefined && key in earlier.added);
    const rechecks = leftRechecks(rest).filter(({ id }) => !held.has(encodeId(id)));
    const removed = [...contribution.removed, ...undeclaredPublicGrants(rest, isAdopted, held), ...rechecks];
    const desired = withoutLeftOvers(applyContribution(rest, { ...contribution, removed }));
    refuseConflictingTables(
      live,
      contribution.added.map((fact) => fact.id),
      new Set(Object.keys(earlier?.added ?? {})),
      inputs.allow.map(approvedBy),
    );
    return { desired, record, ...left };
  } catch (error) {
    if (error instanceof MissingBaseObject) throw missingBase(error, inputs);
    throw error;
  }
}

/** What a table is to have of a parent stays, though it is no longer declared as its own. */
function withoutHandedOver(removed: ReadonlySet<string>, { added }: Contribution): Set<string> {
  const left = new Set(removed);
  for (const fact of added) {
    const table = asTable(fact.id);
    if (table === undefined) continue;
    for (const { name, isInherited } of inheritanceOf(fact)?.columns ?? [])
      if (isInherited) left.delete(encodeId(columnId(table, name)));
  }
  return left;
}

function missingBase({ id }: MissingBaseObject, { name, base }: LayerInputs): UserError {
  const layers = base.map((layer) => `"${layer.name}"`).join(", ");
  return new UserError(
    "PS308",
    `The layer "${name}" depends on ${describe(id)}, which the database does not have. Expected its base to create it (${layers || "none is declared"}): ` +
      "apply the base first, as `dependsOn` does. Objects that the layer assumes must exist as well.",
  );
}
