import { minus } from "../../engine/algebra.ts";
import { reversalOf } from "../../engine/record.ts";
import type { CallContext, ResourceState } from "../../server/resource.ts";
import { applyGoal } from "./apply.ts";
import { refuseDependents } from "./gates.ts";
import { acceptedInputs } from "./inputs.ts";
import { removedFrom } from "./planning.ts";
import { unpackRecord } from "./state.ts";
import type { LayerWorld } from "./world.ts";

/**
 * Takes a layer back: what it added is dropped, what it changed in its base is as it was before. What was there before the layer
 * stays. Refuses while a table to be dropped holds rows or while objects of others depend on what goes.
 */
export async function removeLayer(world: LayerWorld, context: CallContext, state: ResourceState): Promise<void> {
  const inputs = acceptedInputs(state.inputs);
  const record = unpackRecord(state.outputs.contribution);
  const gate = {
    allow: inputs.allow,
    force: inputs.forceDestroy,
    advice:
      "Move the rows away or delete them first. If they may go, set the layer's `forceDestroy` to true, run `pulumi up`, and destroy again.",
  };
  await world.live.inTurn(() =>
    applyGoal(world, context, inputs.roles, gate, (live) => {
      const { parts } = refuseDependents(live, removedFrom(live, record));
      if (parts.length > 0)
        context.report.warn(`these parts of the layer's objects are not its own and go with them: ${parts.join(", ")}`);
      return minus(live, reversalOf(record));
    }),
  );
  if (record.adopted.length > 0) context.report.info(`${record.adopted.length} adopted objects stay in place`);
}
