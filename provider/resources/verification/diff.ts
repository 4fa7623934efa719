/** When a verification is due again. What is checked is left to the files. */
import type { DiffResult, Properties, ResourceState } from "../../core/resourceType.ts";
import { equalValues } from "../../core/values.ts";
import type { Guard } from "../../guard/guard.ts";
import { PROPERTIES } from "./inputs.ts";

/**
 * It is due where this run changes something, or is planned to, where it would check something else than
 * the last time, and where the last result was FAIL. A run that changes nothing has nothing to verify.
 *
 * @param checksDigest of the files as they are now.
 */
export function verificationDiff(
  state: ResourceState,
  news: Properties,
  checksDigest: string,
  { planned, made }: Guard["changes"],
): DiffResult {
  const detailed: DiffResult["detailed"] = {};
  for (const name of PROPERTIES) {
    if (!equalValues(state.inputs[name] ?? null, news[name] ?? null))
      detailed[name] = { kind: "update", inputDiff: true };
  }
  if (state.outputs.checksDigest !== checksDigest) detailed.checks ??= { kind: "update", inputDiff: true };
  if (state.outputs.result === "FAIL") detailed.result = { kind: "update", inputDiff: false };
  if (planned + made > 0) detailed.verifiedAt = { kind: "update", inputDiff: false };
  return { changed: Object.keys(detailed).length > 0, detailed };
}
