/**
 * A Create or Update of a layer in a preview: the plan is made, shown, checked and rehearsed. Carrying it out
 * is left to `update.ts`.
 */
import { askRows } from "../../apply/askRows.ts";
import { compareResults } from "../../apply/compareResults.ts";
import { refuseTooManyLocks } from "../../apply/lockTableRoom.ts";
import { refuseMissingPrivileges } from "../../apply/privileges.ts";
import { declaredBy } from "../../contribution/record.ts";
import { withReferences } from "../../core/errorCodes.ts";
import { UserError } from "../../core/errors.ts";
import { type CallContext, type Properties, type ResourceState, UNKNOWN } from "../../core/resourceType.ts";
import { approved, distinctHazards, misspelt, refuseHazards } from "../../plan/approvals.ts";
import { withEqualResults } from "../../plan/equalResults.ts";
import { nameBefore, planUpdate } from "../../plan/plan.ts";
import { rowWarnings } from "../../plan/rowChecks/report.ts";
import { planReport } from "../../report/planReport.ts";
import { asPreviewLines } from "../../report/previewLines.ts";
import { approvals } from "./approvals.ts";
import { tellMoves } from "./handOver.ts";
import { keptAfter } from "./kept.ts";
import { LayerLedger, withUnrecorded } from "./ledger.ts";
import type { LayerMeaning } from "./meaning.ts";
import { layerOutputs } from "./outputs.ts";
import { rehearsedPlan } from "./rehearsedPlan.ts";
import type { LayerRuntime } from "./runtime.ts";
import { resolveTransition } from "./transition.ts";

export function planWithoutDatabase({ preview, report }: CallContext, news: Properties): Properties {
  if (!preview)
    throw new UserError(
      "PS602",
      "The provider's `url` is not known although this is not a preview. Expected the connection URL of the target database.",
    );
  report.info("the database is not known yet: its statements are planned when it is");
  return {
    ...news,
    objects: UNKNOWN,
    contribution: UNKNOWN,
    adopted: UNKNOWN,
    drift: [],
    spentApprovals: UNKNOWN,
    lastRun: UNKNOWN,
  };
}

export async function planOnly(
  runtime: LayerRuntime,
  { urn, report }: CallContext,
  news: Properties,
  meaning: LayerMeaning,
  state: ResourceState | undefined,
): Promise<Properties> {
  const catalog = await runtime.live.get();
  const target = runtime.knownTarget();
  const pool = await target.pool();
  await runtime.tellReadOnly(report);
  const unrecorded = await new LayerLedger(urn, meaning.inputs.name).readUnrecorded(pool, state?.outputs.contribution);
  const transition = await resolveTransition(
    runtime,
    { ...meaning, earlier: withUnrecorded(meaning.earlier, unrecorded) },
    catalog,
    report.warn,
  );
  const { desired, record } = transition;
  const { rowQuestionTimeoutMs } = runtime.config;
  const plan = await rehearsedPlan(
    runtime,
    {
      plan: (recreated) => planUpdate(pool, catalog, transition, unrecorded?.unfinished ?? [], recreated),
      asked: async (planned) =>
        withEqualResults(
          { ...planned, rowChecks: await askRows(pool, planned, rowQuestionTimeoutMs) },
          await compareResults(pool, planned.comparison, rowQuestionTimeoutMs),
        ),
    },
    transition,
    { before: transition.before, desired, isDeclared: declaredBy(record) },
    report,
  );
  const given = approvals(meaning.inputs, state);
  tellMoves(transition, report);
  await report.plan(asPreviewLines(planReport(plan, transition, approved(given))));
  for (const { code, message } of distinctHazards(plan.assessed)) report.warn(`${code}: ${message}`);
  for (const warning of rowWarnings(plan.rowChecks)) report.warn(warning);
  const used = [...refuseHazards(plan, given), ...(transition.approvals ?? [])];
  runtime.ownership.refuseMakingAgain(meaning.inputs.name, record);
  if (state !== undefined)
    for (const [approval, meant] of misspelt(given, used, [transition.live, desired]))
      report.warn(
        withReferences(
          `the layer's \`allow\` has "${approval}", which names nothing that exists. Did you mean "${meant}"?`,
          ["PS212"],
        ),
      );
  if (plan.list.statements.length > 0) {
    runtime.session.guard.notePlanned();
    runtime.tellEventTriggers(catalog.facts, report);
  }
  const { role, major } = await target.facts();
  await refuseMissingPrivileges(pool, role, transition.live, desired, plan.list.statements);
  await refuseTooManyLocks(pool, transition.live, desired, major);
  const { serverVersion } = catalog;
  runtime.session.planned.layer(catalog.facts, desired);
  const renames = [...transition.renames, ...(transition.takenBack?.renames ?? [])];
  if (plan.list.statements.length > 0)
    runtime.live.project(desired, {
      serverVersion,
      kept: keptAfter(catalog.kept, transition),
      nameNow: nameBefore(catalog, renames),
    });
  return {
    ...layerOutputs(news, meaning.contribution, record, { statements: 0, elapsedMs: 0, serverVersion }, [
      ...new Set([...given.spent, ...used]),
    ]),
    lastRun: UNKNOWN,
  };
}
