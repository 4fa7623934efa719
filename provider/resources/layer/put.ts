/** The Create and Update calls of a layer, preview or not: both bring the database to what the files say. */
import type { ContributionRecord } from "../../contribution/record.ts";
import type { CallContext, Properties, ResourceState } from "../../core/resourceType.ts";
import { containsUnknown } from "../../core/values.ts";
import { approved } from "../../plan/approvals.ts";
import { approvals, withoutSpentMoves } from "./approvals.ts";
import { tellMoves } from "./handOver.ts";
import { acceptedInputs, type LayerInputs } from "./inputs.ts";
import { LayerLedger, withUnrecorded } from "./ledger.ts";
import { type LayerMeaning, meaningOf } from "./meaning.ts";
import { layerOutputs, unpackRecord } from "./outputs.ts";
import { planOnly, planWithoutDatabase } from "./preview.ts";
import type { LayerRuntime } from "./runtime.ts";
import { resolveTransition } from "./transition.ts";
import { applyGoal, type LedgerOfLayer } from "./update.ts";

export async function put(
  runtime: LayerRuntime,
  context: CallContext,
  news: Properties,
  state?: ResourceState,
): Promise<Properties> {
  if (containsUnknown(news) || runtime.target === undefined) return planWithoutDatabase(context, news);
  const inputs = withoutSpentMoves(acceptedInputs(news), state);
  const ledger = new LayerLedger(context.urn, inputs.name);
  const meaning = await meaningOf(runtime, inputs, earlierRecord(runtime, inputs, state), ledger);
  const put = context.preview ? planOnly : applyNow;
  return runtime.session.inTurn(() => put(runtime, context, news, meaning, state));
}

async function applyNow(
  runtime: LayerRuntime,
  context: CallContext,
  news: Properties,
  meaning: LayerMeaning,
  state: ResourceState | undefined,
): Promise<Properties> {
  const hazards = approvals(meaning.inputs, state);
  const rows = {
    allow: approved(hazards),
    force: false,
    advice:
      'If the rows may be lost, name what is to be dropped in the layer\'s `allow` (such as "drop-column:platform.projects.legacy") and run `pulumi up` again. ' +
      'If another layer declares it now, leave it in place for that one (such as "hand-over:platform.projects").',
  };
  const ledger: LedgerOfLayer = {
    entries: new LayerLedger(context.urn, meaning.inputs.name),
    packed: state?.outputs.contribution,
  };
  const change = { context, operation: state === undefined ? "create" : "update" } as const;
  const applied = await applyGoal<ContributionRecord>(runtime, change, { rows, hazards, ledger }, (live, unrecorded) =>
    resolveTransition(
      runtime,
      { ...meaning, earlier: withUnrecorded(meaning.earlier, unrecorded) },
      live,
      context.report.warn,
    ),
  );
  tellMoves(applied, context.report);
  return layerOutputs(news, meaning.contribution, applied.record, applied.lastRun, applied.used);
}

/** What the layer contributed until now: under its name, or under the one that it had before. */
function earlierRecord(
  runtime: LayerRuntime,
  { name }: LayerInputs,
  state: ResourceState | undefined,
): ContributionRecord | undefined {
  return state === undefined ? runtime.ownership.predecessorOf(name) : unpackRecord(state.outputs.contribution);
}
