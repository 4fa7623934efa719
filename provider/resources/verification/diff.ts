/** When a verification is due again. What is checked is left to the files. */
import type { DiffResult, Properties, ResourceState, Value } from "../../core/resourceType.ts";
import { equalValues } from "../../core/values.ts";
import type { Guard } from "../../guard/guard.ts";
import { PROPERTIES } from "./inputs.ts";

/** Where all checks pass, and the same update deletes something afterwards or is of targets only. */
export const PENDING = "PENDING";

/**
 * It is due where this run changes something, or is planned to, where it would check something else than the
 * last time, and where the last result was FAIL or PENDING. A run that changes nothing has nothing to verify.
 *
 * @param checksDigest of the files as they are now.
 * @param isDeleting whether this run will delete something.
 */
export function verificationDiff(
  state: ResourceState,
  news: Properties,
  checksDigest: string,
  { planned, made }: Guard["changes"],
  isDeleting: boolean,
): DiffResult {
  const detailed: DiffResult["detailed"] = {};
  for (const name of PROPERTIES) {
    if (!equalValues(state.inputs[name] ?? null, news[name] ?? null))
      detailed[name] = { kind: "update", inputDiff: true };
  }
  if (state.outputs.checksDigest !== checksDigest) detailed.checks ??= { kind: "update", inputDiff: true };
  if (isOpen(state.outputs.result)) detailed.result = { kind: "update", inputDiff: false };
  if (planned + made > 0 || isDeleting) detailed.verifiedAt = { kind: "update", inputDiff: false };
  return { changed: Object.keys(detailed).length > 0, detailed };
}

/** Whether a result leaves something to be verified. */
export const isOpen = (result: Value | undefined): boolean => result === "FAIL" || result === PENDING;
