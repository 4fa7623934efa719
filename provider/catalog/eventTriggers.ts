/**
 * Which event triggers run in the sessions of an update. Their functions are other people's code, so
 * `resources/layer/runtime.ts` names them with a plan.
 */
import type { FactBase } from "./pgDelta.ts";

/** The event triggers that a session of ours fires, by name and event; those of extensions are no facts. */
export function firedEventTriggers(facts: FactBase): string[] {
  return facts
    .facts()
    .filter(({ id, payload }) => id.kind === "eventTrigger" && (payload.enabled === "O" || payload.enabled === "A"))
    .map(({ id, payload }) => `${"name" in id ? id.name : ""} (${payload.event})`)
    .sort();
}
