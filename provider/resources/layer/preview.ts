import { refuseTooManyLocks } from "../../apply/lockTableRoom.ts";
import { refuseMissingRights } from "../../apply/privileges.ts";
import { joined } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import { type CallContext, type Properties, type ResourceState, UNKNOWN } from "../../core/resourceType.ts";
import { refuseHazards } from "../../plan/approvals.ts";
import { nameBefore, planLayer } from "../../plan/plan.ts";
import { approvals } from "./approvals.ts";
import { LayerLedger } from "./ledger.ts";
import type { LayerMeaning } from "./meaning.ts";
import { layerOutputs } from "./outputs.ts";
import { asPlan } from "./planView.ts";
import type { LayerWorld } from "./runtime.ts";
import { aimOf } from "./transition.ts";

export function planWithoutDatabase({ preview, report }: CallContext, news: Properties): Properties {
  if (!preview)
    throw new UserError(
      "The provider's `url` is not known although this is no preview. Expected the connection URL of the target database.",
    );
  report.info("the database is not known yet: its statements are planned when it is");
  return { ...news, objects: UNKNOWN, contribution: UNKNOWN, adopted: UNKNOWN, drift: [], lastRun: UNKNOWN };
}

export async function planOnly(
  world: LayerWorld,
  { urn, report }: CallContext,
  news: Properties,
  meaning: LayerMeaning,
  state: ResourceState | undefined,
): Promise<Properties> {
  const catalog = await world.live.get();
  const target = world.knownTarget();
  const pool = await target.pool();
  const noted = await new LayerLedger(urn, meaning.inputs.name).readBeyond(pool, state?.outputs.contribution);
  const aim = await aimOf(
    world,
    { ...meaning, earlier: joined(meaning.earlier, noted?.record) },
    catalog.facts,
    report.warn,
  );
  const plan = await planLayer(pool, catalog, aim);
  await report.plan(asPlan(plan));
  for (const { code, message } of plan.judged.flatMap(({ hazards }) => hazards)) report.warn(`${code}: ${message}`);
  const { allow, allowedBefore } = approvals(meaning.inputs, state);
  refuseHazards(plan, allow, [...allowedBefore, ...(noted?.allow ?? [])]);
  const { role, major } = await target.facts();
  await refuseMissingRights(pool, role, aim.live, aim.wanted, plan.list.statements);
  await refuseTooManyLocks(pool, aim.live, aim.wanted, major);
  const { serverVersion } = catalog;
  world.live.project(aim.wanted, serverVersion, nameBefore(catalog, aim.renames));
  return {
    ...layerOutputs(news, meaning.contribution, aim.record, { statements: 0, elapsedMs: 0, serverVersion }),
    lastRun: UNKNOWN,
  };
}
