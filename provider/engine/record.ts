import type { AttributeChange, Contribution, Reversal } from "./algebra.ts";
import { closedPayload, openValue, saidAttributes } from "./openAttributes.ts";
import { contentHash, encodeId, type Fact, type FactBase, type PayloadValue, parseId } from "./pgDelta.ts";

/**
 * What a stack's state keeps of a contribution: enough to see drift without a shadow and to take the layer back without its SQL
 * files. Facts that were added are held by identity and hash only.
 */
export interface ContributionRecord {
  /** Encoded id of each added fact → the start of its content hash. */
  added: Record<string, string>;
  /** Encoded ids among `added` that the database had before the layer came; a destroy leaves them. */
  adopted: string[];
  /** Attributes of added facts that other layers could have set, had these not (see `openAttributes.ts`). */
  said: { id: string; attribute: string; value?: PayloadValue }[];
  removed: { id: string; parent?: string; payload: Fact["payload"] }[];
  changed: { id: string; attribute: string; from: PayloadValue; to: PayloadValue; adopted: boolean }[];
}

/** 64 bits tell two versions of one object apart; the state holds thousands of these. */
const hashOf = (fact: Fact): string => contentHash(closedPayload(fact)).slice(0, 16);

/** Members of an extension come and go with it, so they are not recorded. */
function isExtensionMember(facts: ReadonlySet<string>, fact: Fact): boolean {
  let id = fact.id;
  while (id.kind === "acl" || id.kind === "comment" || id.kind === "securityLabel") id = id.target;
  return facts.has(encodeId(id));
}

/**
 * @param before the database before the layer was applied: what it has already is adopted.
 * @param earlier the record of the last run; what that run created stays ours although `before` has it.
 */
export function recordOf(
  contribution: Contribution,
  before: FactBase,
  earlier: ContributionRecord | undefined,
): ContributionRecord {
  const members = new Set(
    contribution.linked.filter((edge) => edge.kind === "memberOfExtension").map((edge) => encodeId(edge.from)),
  );
  const added: Record<string, string> = {};
  const adopted: string[] = [];
  for (const fact of contribution.added) {
    if (isExtensionMember(members, fact)) continue;
    const key = encodeId(fact.id);
    added[key] = hashOf(fact);
    const wasOurs = earlier !== undefined && key in earlier.added;
    if (wasOurs ? earlier.adopted.includes(key) : before.has(fact.id)) adopted.push(key);
  }
  return {
    added,
    adopted,
    said: contribution.added.filter((fact) => encodeId(fact.id) in added).flatMap(saidAttributes),
    removed: contribution.removed.map((fact) => ({
      id: encodeId(fact.id),
      ...(fact.parent === undefined ? {} : { parent: encodeId(fact.parent) }),
      payload: fact.payload,
    })),
    changed: contribution.changed.map((change) => {
      const id = encodeId(change.id);
      const known = earlier?.changed.find((old) => old.id === id && old.attribute === change.attribute);
      const adoptedNow = same(before.get(change.id)?.payload[change.attribute], change.to);
      return { ...change, id, adopted: known?.adopted ?? adoptedNow };
    }),
  };
}

const same = (a: PayloadValue, b: PayloadValue): boolean => contentHash(a ?? null) === contentHash(b ?? null);

/** The ids and attributes of a record that the database does not hold as recorded. Empty: there is nothing to do. */
export function differences(live: FactBase, record: ContributionRecord): { id: string; kind: "missing" | "changed" }[] {
  const found: { id: string; kind: "missing" | "changed" }[] = [];
  for (const [key, hash] of Object.entries(record.added)) {
    const fact = live.getByEncoded(key);
    if (fact === undefined) found.push({ id: key, kind: "missing" });
    else if (hashOf(fact) !== hash) found.push({ id: key, kind: "changed" });
  }
  for (const { id, attribute, value } of record.said) {
    const fact = live.getByEncoded(id);
    if (fact !== undefined && !same(fact.payload[attribute], value)) found.push({ id, kind: "changed" });
  }
  for (const fact of record.removed)
    if (live.getByEncoded(fact.id) !== undefined) found.push({ id: fact.id, kind: "changed" });
  for (const change of record.changed) {
    const fact = live.getByEncoded(change.id);
    if (fact === undefined) found.push({ id: change.id, kind: "missing" });
    else if (!same(fact.payload[change.attribute], change.to)) found.push({ id: change.id, kind: "changed" });
  }
  return found;
}

/**
 * What to take back of a record so that `next` can take its place; without `next`, all of it. Adopted objects stay.
 */
export function reversalOf(record: ContributionRecord, next?: ContributionRecord): Reversal {
  const adopted = new Set(record.adopted);
  const keptRemovals = new Set(next?.removed.map((fact) => fact.id));
  const keptChanges = new Set(next?.changed.map((change) => `${change.id} ${change.attribute}`));
  const keptSayings = new Set(next?.said.map((saying) => `${saying.id} ${saying.attribute}`));
  const changes: AttributeChange[] = record.changed
    .filter((change) => !change.adopted && !keptChanges.has(`${change.id} ${change.attribute}`))
    .map((change) => ({ ...change, id: parseId(change.id) }));
  const sayings: AttributeChange[] = record.said
    .filter((saying) => !adopted.has(saying.id) && !keptSayings.has(`${saying.id} ${saying.attribute}`))
    .map(({ id, attribute, value }) => ({
      id: parseId(id),
      attribute,
      from: openValue(parseId(id), attribute),
      to: value,
    }));
  return {
    remove: new Set(
      Object.keys(record.added).filter((key) => !adopted.has(key) && !(next !== undefined && key in next.added)),
    ),
    restore: record.removed
      .filter((fact) => !keptRemovals.has(fact.id))
      .map((fact) => ({
        id: parseId(fact.id),
        ...(fact.parent === undefined ? {} : { parent: parseId(fact.parent) }),
        payload: fact.payload,
      })),
    reset: [...changes, ...sayings],
  };
}
