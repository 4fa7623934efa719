/** The Read call of a layer: what differs from the record, for a refresh; without a state, an import. */
import { named } from "../../catalog/objectNames.ts";
import { differences, present } from "../../contribution/record.ts";
import type { CallContext, ResourceState } from "../../core/resourceType.ts";
import { importLayer } from "./import.ts";
import { unpackRecord } from "./outputs.ts";
import type { LayerRuntime } from "./runtime.ts";

export async function read(
  runtime: LayerRuntime,
  context: CallContext,
  state: ResourceState,
): Promise<ResourceState | undefined> {
  if (Object.keys(state.inputs).length === 0) return importLayer(runtime, context, state.id);
  const record = unpackRecord(state.outputs.contribution);
  const { facts } = await runtime.live.get();
  const whole = Object.keys(record.added).length;
  if (whole > 0 && present(facts, record).length === 0) return undefined;
  const drift = named(differences(facts, record).map(({ id }) => id));
  return { ...state, outputs: { ...state.outputs, drift } };
}
