/**
 * Which functions may give another result after an update than before it. What is stored of their results is
 * found by `storedResults.ts`.
 */
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import { text } from "../catalog/tables.ts";
import { bodyStart } from "../catalog/textBodies.ts";

export type FunctionId = Extract<StableId, { args: string[] }>;

/** The line of a definition, as the server prints it, that says what the planner may take for granted. */
const ATTRIBUTES =
  /^(?: (?:WINDOW|IMMUTABLE|STABLE|VOLATILE|PARALLEL (?:UNSAFE|SAFE|RESTRICTED)|STRICT|SECURITY DEFINER|LEAKPROOF|COST \S+|ROWS \S+|SUPPORT \S+))+$/m;
/** Attributes that decide how fast a result comes, and never which. */
const OF_SPEED = / (?:PARALLEL \S+|LEAKPROOF|COST \S+|ROWS \S+|SUPPORT \S+)/g;

/** A definition without what has no influence on the results. */
export function meaningOf(definition: string): string {
  const body = bodyStart(definition);
  const head = definition
    .slice(0, body)
    .replace(ATTRIBUTES, (line) => line.replaceAll(OF_SPEED, ""))
    .replace(/^\n/gm, "");
  return head + definition.slice(body);
}

/** Functions that both sides have, and that mean something else in `desired`. */
export function changedFunctions(live: FactBase, desired: FactBase): FunctionId[] {
  return desired.facts().flatMap((fact): FunctionId[] => {
    const { id } = fact;
    if (id.kind !== "function" || !live.has(id) || live.hashOf(id) === desired.hashOf(id)) return [];
    return meaningOf(text(live.get(id), "def")) === meaningOf(text(fact, "def")) ? [] : [id];
  });
}
