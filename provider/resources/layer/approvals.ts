import type { ResourceState } from "../../core/resourceType.ts";
import { acceptedInputs, type LayerInputs } from "./inputs.ts";

/** Approvals of hazards, and those that the last update had. */
export function approvals(
  { allow }: LayerInputs,
  state: ResourceState | undefined,
): { allow: string[]; allowedBefore: string[] } {
  return { allow, allowedBefore: state === undefined ? [] : acceptedInputs(state.inputs).allow };
}
