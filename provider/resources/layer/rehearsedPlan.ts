/**
 * A plan that has passed its rehearsal. What the server refuses there is planned once more in the heavier
 * way: what stands on the object of the refused statement goes first and comes back after.
 */
import { type PlannedUpdate, RehearsalError } from "../../apply/rehearsal.ts";
import type { StableId } from "../../catalog/pgDelta.ts";
import { beside } from "../../core/beside.ts";
import type { Reporter } from "../../core/resourceType.ts";
import { recreatable } from "../../plan/dependents.ts";
import { domainOf } from "../../plan/neighbourhood.ts";
import type { LayerPlan } from "../../plan/plan.ts";
import type { Transition } from "../../plan/transition.ts";
import type { LayerRuntime } from "./runtime.ts";

/** How a plan is made. */
export interface Planning {
  /** @param recreated what goes first and comes back after. */
  plan: (recreated: readonly StableId[]) => Promise<LayerPlan>;
  /** Asks the rows what the plan depends on; they are asked while it is rehearsed. */
  asked: (plan: LayerPlan) => Promise<LayerPlan>;
  /** Whether carrying it out proves as much. Default: it never does. */
  provesItself?: (plan: LayerPlan) => boolean;
}

/** A plan, and whether it was to be rehearsed. */
export interface RehearsedPlan extends LayerPlan {
  isRehearsed: boolean;
}

/** @throws {UserError} for a plan that the server refuses both ways, or that leads elsewhere. */
export async function rehearsedPlan(
  runtime: LayerRuntime,
  { plan, asked, provesItself = () => false }: Planning,
  { live }: Transition<unknown>,
  update: Omit<PlannedUpdate, "list">,
  report: Reporter,
): Promise<RehearsedPlan> {
  const rehearse = ({ list }: LayerPlan): Promise<RehearsalError | undefined> =>
    runtime.rehearse({ ...update, list }, report).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof RehearsalError) return error;
        throw error;
      },
    );
  const direct = await plan([]);
  if (provesItself(direct)) return { ...(await asked(direct)), isRehearsed: false };
  const rehearsing = rehearse(direct);
  const answered = await beside(rehearsing, () => asked(direct));
  const refused = await rehearsing;
  // What the server does not do, whatever the rows are, has words of its own.
  if (refused === undefined || answered.rowChecks.some(({ answer }) => answer.kind === "unsupported"))
    return { ...answered, isRehearsed: true };
  const changed = refused.statement?.id;
  const recreated = changed === undefined ? [] : recreatable(domainOf(changed, update.desired) ?? changed, live);
  if (recreated.length === 0) throw refused;
  const heavier = await plan(recreated);
  if ((await rehearse(heavier)) !== undefined) throw refused;
  return { ...(await asked(heavier)), isRehearsed: true };
}
