/**
 * How objects go from one layer to another: what a layer lets go and leaves in place, and what it comes upon
 * that another one made. The ledger keeps both between runs.
 */
import { isTopLevel, named, nameInApproval, ownerObject } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase, parseId, type StableId } from "../../catalog/pgDelta.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import { type ContributionRecord, keysThere, ownedIds, ownedParts, partOf } from "../../contribution/record.ts";
import type { Reporter } from "../../core/resourceType.ts";
import { handOverName } from "../../plan/approvals.ts";

/**
 * The part of a record that its layer hands over: of what it does not hold any more, all that is named in
 * its approvals, with what is on it or in it, and with what that needs.
 *
 * @param held keys of what it holds, or another layer of this run.
 */
export function handedOver(
  live: FactBase,
  earlier: ContributionRecord,
  held: ReadonlySet<string>,
  allow: readonly string[],
): Pick<Moves, "handedOver" | "approvals"> {
  const left = partLeft(live, earlier, held, new Set(allow.flatMap((approval) => handOverName(approval) ?? [])));
  if (left === undefined) return {};
  return {
    handedOver: left.part,
    approvals: allow.filter((approval) => left.met.has(handOverName(approval) ?? "")),
  };
}

/**
 * The part of a record that has these names, as approvals write them, with what is on it or in it, and with
 * what that needs; and which of the names were met.
 *
 * @param held keys of what stays in any case.
 */
export function partLeft(
  live: FactBase,
  earlier: ContributionRecord,
  held: ReadonlySet<string>,
  names: ReadonlySet<string>,
): { part: ContributionRecord; met: Set<string> } | undefined {
  if (names.size === 0) return undefined;
  const leaving = ownedParts(earlier).filter(({ key }) => !held.has(key));
  const namesOf = (id: string): string[] =>
    lineageOf(live, parseId(id))
      .map(nameInApproval)
      .filter((name) => names.has(name));
  const chosen = leaving.filter(({ id }) => namesOf(id).length > 0).map(({ id }) => id);
  if (chosen.length === 0) return undefined;
  const met = new Set(chosen.flatMap(namesOf));
  const staying = withNeeds(live, chosen, new Set(leaving.map(({ id }) => id)));
  const keys = new Set(leaving.filter(({ id }) => staying.has(id)).map(({ key }) => key));
  return { part: partOf(earlier, (key) => keys.has(key)), met };
}

/** An object with what it is a part of: the column, its table, its schema. */
function lineageOf(live: FactBase, id: StableId): StableId[] {
  const lineage: StableId[] = [];
  for (let each: StableId | undefined = id; each !== undefined; each = parentOf(live, each)) lineage.push(each);
  return lineage;
}

function parentOf(live: FactBase, id: StableId): StableId | undefined {
  const found = live.get(id);
  if (found !== undefined) return found.parent;
  // A privilege that was revoked is no fact of the database.
  if ("target" in id) return id.target;
  const owner = ownerObject(id);
  return encodeId(owner) === encodeId(id) ? undefined : owner;
}

/** Objects with their parts, what they are in, and what they need, as far as those are candidates. */
function withNeeds(live: FactBase, ids: readonly string[], candidates: ReadonlySet<string>): Set<string> {
  const needs = new Map<string, string[]>();
  for (const { kind, from, to } of live.edges) {
    if (kind !== "depends") continue;
    const key = encodeId(from);
    needs.set(key, [...(needs.get(key) ?? []), encodeId(to)]);
  }
  const seen = new Set(ids);
  const open = [...ids];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    const id = parseId(key);
    const parent = parentOf(live, id);
    const parts = candidates.has(key)
      ? live.childrenOf(id).filter((part) => id.kind !== "schema" || !isTopLevel(part.id))
      : [];
    const further = [
      ...(needs.get(key) ?? []),
      ...(parent === undefined ? [] : [encodeId(parent)]),
      ...parts.map((part) => encodeId(part.id)),
    ];
    for (const next of further) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return new Set([...seen].filter((key) => candidates.has(key)));
}

/**
 * What a layer declares, finds in the database, and does not have in its own record: another layer may have
 * made it.
 */
export function keysToClaim(
  live: FactBase,
  contribution: Contribution,
  earlier: ContributionRecord | undefined,
): Set<string> {
  const own = new Set(earlier === undefined ? [] : ownedIds(earlier));
  return new Set(keysThere(contribution, live).filter((key) => !own.has(key)));
}

/** What goes from one layer to another with an update, though no statement tells it. */
export interface Moves {
  /** What the layer leaves in place for another one. */
  handedOver?: ContributionRecord | undefined;
  /** The approvals of that. */
  approvals?: readonly string[] | undefined;
  /** What another layer made, and is this one's now. */
  takenOver?: ContributionRecord | undefined;
}

export function tellMoves({ handedOver: left, takenOver }: Moves, { info }: Reporter): void {
  if (left !== undefined) info(`left in place for the layer that declares it now: ${namesIn(left)}`);
  if (takenOver !== undefined) info(`taken over from another layer: ${namesIn(takenOver)}`);
}

/** Objects by name; parts only where their object stays where it is. */
function namesIn(record: ContributionRecord): string {
  const ids = ownedParts(record).map(({ id }) => id);
  const wholes = new Set(ids.filter((id) => encodeId(ownerObject(parseId(id))) === id));
  return named(ids.filter((id) => wholes.has(id) || !wholes.has(encodeId(ownerObject(parseId(id)))))).join(", ");
}
