/**
 * The Delete call of a layer: what is dropped, what is put back, what stays because it was adopted. How it is
 * carried out is left to `update.ts`.
 */
import { nameInApproval } from "../../catalog/objectNames.ts";
import type { FactBase, StableId } from "../../catalog/pgDelta.ts";
import { quoteQualified } from "../../catalog/quote.ts";
import { dependenciesOf, type Reversal, removedFrom, revertContribution } from "../../contribution/contribution.ts";
import { type ContributionRecord, ownedIds, reversalOf } from "../../contribution/record.ts";
import type { CallContext, ResourceState } from "../../core/resourceType.ts";
import { approved } from "../../plan/approvals.ts";
import { approvals } from "./approvals.ts";
import { partLeft } from "./handOver.ts";
import { acceptedInputs, type LayerInputs } from "./inputs.ts";
import { LayerLedger, withUnrecorded } from "./ledger.ts";
import { unpackRecord } from "./outputs.ts";
import { refuseDependents } from "./preconditions.ts";
import type { LayerRuntime } from "./runtime.ts";
import { applyGoal, type LedgerOfLayer } from "./update.ts";

/**
 * Takes a layer back: what it added is dropped, what it changed in its base is as it was before. What was
 * there before the layer stays, and so does what another layer of this run has taken over, and what
 * `keepWithRows` names. Refuses while a table to be dropped holds rows or while objects of others depend on
 * what goes.
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
  let kept: string[] = [];
  await runtime.session.inTurn(() =>
    applyGoal<undefined>(
      runtime,
      { context, operation: "delete" },
      { rows, ledger },
      async ({ facts: live }, unrecorded) => {
        const whole = withUnrecorded(record, unrecorded) ?? record;
        const others = runtime.ownership.heldByOthers(inputs.name);
        kept = await namesWithRows(runtime, live, inputs);
        const left = partLeft(live, whole, others, new Set(kept));
        const held = left === undefined ? others : new Set([...others, ...ownedIds(left.part)]);
        const reversal = withoutNeeds(live, whole, reversalOf(whole, held));
        refuseDependents(live, removedFrom(live, reversal), new Set(), context.report.warn);
        return { before: live, live, desired: revertContribution(live, reversal), renames: [], record: undefined };
      },
    ),
  );
  if (kept.length > 0) {
    context.report.info(
      `${kept.map((name) => `table ${name}`).join(", ")} holds rows and stays in place, with its schema, as the layer's keepWithRows says. Nothing of pgstrata drops it later: do so yourself where the rows may go.`,
    );
  }
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

/** Of the tables that stay while they hold rows: those that do, as approvals name them. */
async function namesWithRows(
  runtime: LayerRuntime,
  live: FactBase,
  { keepWithRows, forceDestroy }: LayerInputs,
): Promise<string[]> {
  const names: string[] = [];
  if (forceDestroy) return names;
  for (const { schema, name } of keepWithRows) {
    const id: StableId = { kind: "table", schema, name };
    if (!live.has(id)) continue;
    const pool = await runtime.knownTarget().pool();
    const { rows } = await pool.query(`SELECT FROM ${quoteQualified(schema, name)} LIMIT 1`);
    if (rows.length > 0) names.push(nameInApproval(id));
  }
  return names;
}
