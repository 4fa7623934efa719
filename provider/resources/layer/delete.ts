/**
 * The Delete call of a layer: what is dropped, what is put back, what stays because it was adopted. How it is
 * carried out is left to `update.ts`.
 */
import type { FactBase } from "../../catalog/pgDelta.ts";
import { dependenciesOf, type Reversal, removedFrom, revertContribution } from "../../contribution/contribution.ts";
import { type ContributionRecord, reversalOf } from "../../contribution/record.ts";
import type { CallContext, ResourceState } from "../../core/resourceType.ts";
import { approved } from "../../plan/approvals.ts";
import { approvals } from "./approvals.ts";
import { acceptedInputs } from "./inputs.ts";
import { LayerLedger, withUnrecorded } from "./ledger.ts";
import { unpackRecord } from "./outputs.ts";
import { refuseDependents } from "./preconditions.ts";
import type { LayerRuntime } from "./runtime.ts";
import { applyGoal, type LedgerOfLayer } from "./update.ts";

/**
 * Takes a layer back: what it added is dropped, what it changed in its base is as it was before. What was
 * there before the layer stays, and so does what another layer of this run has taken over. Refuses while a
 * table to be dropped holds rows or while objects of others depend on what goes.
 */
export async function removeLayer(runtime: LayerRuntime, context: CallContext, state: ResourceState): Promise<void> {
  const inputs = acceptedInputs(state.inputs);
  const record = unpackRecord(state.outputs.contribution);
  const rows = {
    allow: approved(approvals(inputs, state)),
    force: inputs.forceDestroy,
    advice:
      "Move the rows away or delete them first. If they may be lost, set the layer's `forceDestroy` to true, run `pulumi up`, and destroy again.",
  };
  const ledger: LedgerOfLayer = {
    entries: new LayerLedger(context.urn, inputs.name),
    packed: state.outputs.contribution,
  };
  await runtime.session.inTurn(() =>
    applyGoal<undefined>(
      runtime,
      { context, operation: "delete" },
      { rows, ledger },
      async ({ facts: live }, unrecorded) => {
        const whole = withUnrecorded(record, unrecorded) ?? record;
        const reversal = withoutNeeds(live, whole, reversalOf(whole, runtime.ownership.heldByOthers(inputs.name)));
        refuseDependents(live, removedFrom(live, reversal), new Set(), context.report.warn);
        return { before: live, live, desired: revertContribution(live, reversal), renames: [], record: undefined };
      },
    ),
  );
  if (record.adopted.length > 0) context.report.info(`${record.adopted.length} adopted objects stay in place`);
}

/**
 * What stays may have come to need something that the layer made, such as the function that a repaired
 * trigger calls.
 */
function withoutNeeds(live: FactBase, { adopted }: ContributionRecord, reversal: Reversal): Reversal {
  const needed = dependenciesOf(live, adopted, reversal.remove);
  return { ...reversal, remove: new Set([...reversal.remove].filter((key) => !needed.has(key))) };
}
