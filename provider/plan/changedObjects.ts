/**
 * Which functions and objects of text search may give another result after an update than before it. What is
 * stored of their results is found by `storedResults.ts`.
 */
import { asObject, type ObjectId } from "../catalog/kinds/kind.ts";
import { textSearch } from "../catalog/kinds/textSearch.ts";
import { contentHash, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { text } from "../catalog/tables.ts";
import { bodyStart } from "../catalog/textBodies.ts";

/** A function, or a parser, template, dictionary or configuration of text search. */
export type ChangedObject = Extract<StableId, { args: string[] }> | ObjectId;

const TEXT_SEARCH: ReadonlySet<string> = new Set(textSearch.map(({ name }) => name));

export function givesResults(id: StableId): id is ChangedObject {
  return id.kind === "function" || TEXT_SEARCH.has(asObject(id)?.intentKind ?? "");
}

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

/** What both sides have, and what means something else in `desired`. */
export function changedObjects(live: FactBase, desired: FactBase): ChangedObject[] {
  return desired.facts().flatMap((fact): ChangedObject[] => {
    const { id } = fact;
    if (!givesResults(id) || !live.has(id) || live.hashOf(id) === desired.hashOf(id)) return [];
    return meansSame(live.get(id), fact) ? [] : [id];
  });
}

function meansSame(before: Fact | undefined, after: Fact): boolean {
  if (after.id.kind === "function") return meaningOf(text(before, "def")) === meaningOf(text(after, "def"));
  const meaning = (fact: Fact | undefined): string => {
    const { comment, owner, ...rest } = fact?.payload ?? {};
    return contentHash(rest);
  };
  return meaning(before) === meaning(after);
}
