/**
 * What a state keeps of a layer, and what that answers without a shadow: what differs, who owns what, what a
 * destroy takes back. Packing and storing it is left to `resources/layer/`.
 */
import {
  contentHash,
  type DependencyEdge,
  encodeId,
  type Fact,
  type FactBase,
  type PayloadValue,
  parseId,
  type StableId,
} from "../catalog/pgDelta.ts";
import { keepOwnerEdge } from "../catalog/readCatalog.ts";
import type { AttributeChange, Contribution, Reversal } from "./contribution.ts";
import { otherFormsOf } from "./forms.ts";
import { closedPayload, openValue, saidAttributes } from "./openAttributes.ts";

/**
 * What a stack's state keeps of a contribution: enough to see drift without a shadow and to take the layer
 * back without its SQL files. Facts that were added are held by identity and hash only.
 */
export interface ContributionRecord {
  /** Encoded id of each added fact → the start of its content hash. */
  added: Record<string, string>;
  /**
   * Hashes of added facts in other forms of their definitions, which mean the same; left out where there are
   * none.
   */
  forms?: Record<string, string[]>;
  /** Encoded ids among `added` that the database had before the layer came; a destroy leaves them. */
  adopted: string[];
  /** Attributes of added facts that other layers could have set, had these not (see `openAttributes.ts`). */
  said: { id: string; attribute: string; value?: PayloadValue; adopted: boolean }[];
  /** Owners that the layer names, by encoded id. */
  owners: Record<string, string>;
  /**
   * Owners that the layer found and does not name, by encoded id of what it adopted; the owner of all else is
   * the connecting role. Undefined in a record of before these were kept.
   */
  ownersFound?: Record<string, string>;
  removed: { id: string; parent?: string; payload: Fact["payload"] }[];
  changed: { id: string; attribute: string; from: PayloadValue; to: PayloadValue; adopted: boolean }[];
}

/** The record of a layer that has contributed nothing. */
export const emptyRecord: ContributionRecord = {
  added: {},
  adopted: [],
  said: [],
  owners: {},
  removed: [],
  changed: [],
};

/** Tells which objects a layer says something of; none, of a layer that goes. */
export function declaredBy(record: ContributionRecord | undefined): (id: StableId) => boolean {
  const changed = new Set(record?.changed.map(({ id }) => id));
  return (id) => record !== undefined && (encodeId(id) in record.added || changed.has(encodeId(id)));
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
  const forms: Record<string, string[]> = {};
  const adopted: string[] = [];
  const adoptedEarlier = new Set(earlier?.adopted);
  // What one layer says of its own object, another one changes in its base.
  const attributesEarlier = adoptions([...(earlier?.said ?? []), ...(earlier?.changed ?? [])]);
  for (const fact of contribution.added) {
    if (isExtensionMember(members, fact)) continue;
    const key = encodeId(fact.id);
    added[key] = hashOf(fact);
    const others = otherFormsOf(fact, contribution.forms).map(hashOf);
    if (others.length > 0) forms[key] = others;
    const wasOurs = earlier !== undefined && key in earlier.added;
    if (wasOurs ? adoptedEarlier.has(key) : before.has(fact.id)) adopted.push(key);
  }
  const owners = ownersIn(contribution.linked);
  const found = ownersIn(before.edges);
  const ownersFound = Object.keys(added).flatMap((key): [string, string][] => {
    const isKnown = earlier?.ownersFound !== undefined && key in earlier.added;
    const owner = isKnown ? earlier.ownersFound?.[key] : found[key];
    return owner === undefined || key in owners ? [] : [[key, owner]];
  });
  return {
    added,
    ...(Object.keys(forms).length === 0 ? {} : { forms }),
    adopted,
    said: contribution.added
      .filter((fact) => encodeId(fact.id) in added)
      .flatMap(saidAttributes)
      .map((saying) => {
        const wasThere = same(before.getByEncoded(saying.id)?.payload[saying.attribute], saying.value);
        return { ...saying, adopted: attributesEarlier.get(attributeKey(saying)) ?? wasThere };
      }),
    owners,
    ownersFound: Object.fromEntries(ownersFound),
    removed: contribution.removed.map((fact) => ({
      id: encodeId(fact.id),
      ...(fact.parent === undefined ? {} : { parent: encodeId(fact.parent) }),
      payload: fact.payload,
    })),
    changed: contribution.changed.map((change) => {
      const id = encodeId(change.id);
      const wasThere = same(before.get(change.id)?.payload[change.attribute], change.to);
      return { ...change, id, adopted: attributesEarlier.get(attributeKey({ ...change, id })) ?? wasThere };
    }),
  };
}

const ownersIn = (edges: readonly DependencyEdge[]): Record<string, string> =>
  Object.fromEntries(edges.filter(keepOwnerEdge).map(({ from, to }) => [encodeId(from), "name" in to ? to.name : ""]));

/**
 * Objects of a layer whose owner is neither the connecting role nor one that the layer names or found, with
 * that owner.
 */
export function strangeOwners(
  live: FactBase,
  { added, owners, ownersFound = {} }: ContributionRecord,
): [string, string][] {
  return Object.entries(ownersIn(live.edges)).filter(
    ([key, owner]) => key in added && !(key in owners) && ownersFound[key] !== owner,
  );
}

interface Attribute {
  id: string;
  attribute: string;
}

/** Whether an earlier run found an attribute as it should be, for each that it said. */
function adoptions(earlier: readonly (Attribute & { adopted: boolean })[]): Map<string, boolean> {
  return new Map(earlier.map((old) => [attributeKey(old), old.adopted]));
}

const same = (a: PayloadValue, b: PayloadValue): boolean => contentHash(a ?? null) === contentHash(b ?? null);

/**
 * The ids and attributes of a record that the database does not hold as recorded. Empty: there is nothing to
 * do.
 */
export function differences(live: FactBase, record: ContributionRecord): { id: string; kind: "missing" | "changed" }[] {
  const found: { id: string; kind: "missing" | "changed" }[] = [];
  for (const [key, hash] of Object.entries(record.added)) {
    const fact = live.getByEncoded(key);
    if (fact === undefined) found.push({ id: key, kind: "missing" });
    else if (!isAs(fact, hash, record.forms?.[key])) found.push({ id: key, kind: "changed" });
  }
  for (const { id, attribute, value } of record.said) {
    const fact = live.getByEncoded(id);
    if (fact !== undefined && !same(fact.payload[attribute], value)) found.push({ id, kind: "changed" });
  }
  for (const id of wrongOwners(live, record)) found.push({ id, kind: "changed" });
  for (const fact of record.removed)
    if (live.getByEncoded(fact.id) !== undefined) found.push({ id: fact.id, kind: "changed" });
  for (const change of record.changed) {
    const fact = live.getByEncoded(change.id);
    if (fact === undefined) found.push({ id: change.id, kind: "missing" });
    else if (!same(fact.payload[change.attribute], change.to)) found.push({ id: change.id, kind: "changed" });
  }
  return found;
}

function isAs(fact: Fact, hash: string, forms: readonly string[] = []): boolean {
  const found = hashOf(fact);
  return found === hash || forms.includes(found);
}

/** Whether the database holds an added fact as a record says. */
export function isAsRecorded(fact: Fact, { added, forms }: ContributionRecord): boolean {
  const key = encodeId(fact.id);
  const hash = added[key];
  return hash !== undefined && isAs(fact, hash, forms?.[key]);
}

/** Objects that the database has under another owner than the record names. */
function wrongOwners(live: FactBase, { owners }: ContributionRecord): string[] {
  const named = Object.keys(owners).filter((key) => live.getByEncoded(key) !== undefined);
  if (named.length === 0) return [];
  const actual = ownersIn(live.edges);
  return named.filter((key) => actual[key] !== owners[key]);
}

const attributeKey = ({ id, attribute }: Attribute): string => `${id} ${attribute}`;
const removalKey = ({ id }: { id: string }): string => `- ${id}`;

/** Everything that a record says: keys that compare with those of other records, and what each is about. */
export function ownedParts({ added, said, removed, changed }: ContributionRecord): { key: string; id: string }[] {
  return [
    ...Object.keys(added).map((id) => ({ key: id, id })),
    ...[...said, ...changed].map((part) => ({ key: attributeKey(part), id: part.id })),
    ...removed.map((fact) => ({ key: removalKey(fact), id: fact.id })),
  ];
}

/** Everything that a record says, as keys. */
export const ownedIds = (record: ContributionRecord): string[] => ownedParts(record).map(({ key }) => key);

/** What a contribution says and a database has already, as the keys of its record. */
export function keysThere({ added, changed }: Contribution, live: FactBase): string[] {
  const there = added.filter(({ id }) => live.has(id));
  const holds = (id: string, attribute: string, value: PayloadValue): boolean =>
    same(live.getByEncoded(id)?.payload[attribute], value);
  return [
    ...there.map(({ id }) => encodeId(id)),
    ...there
      .flatMap(saidAttributes)
      .filter(({ id, attribute, value }) => holds(id, attribute, value))
      .map(attributeKey),
    ...changed
      .filter(({ id, attribute, to }) => holds(encodeId(id), attribute, to))
      .map(({ id, attribute }) => attributeKey({ id: encodeId(id), attribute })),
  ];
}

/** The part of a record whose keys are chosen. */
export function partOf(record: ContributionRecord, chosen: (key: string) => boolean): ContributionRecord {
  const entriesOf = <T>(byId: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(byId).filter(([key]) => chosen(key)));
  const isChosen = (part: Attribute): boolean => chosen(attributeKey(part));
  return {
    added: entriesOf(record.added),
    ...(record.forms === undefined ? {} : { forms: entriesOf(record.forms) }),
    adopted: record.adopted.filter(chosen),
    said: record.said.filter(isChosen),
    owners: entriesOf(record.owners),
    ...(record.ownersFound === undefined ? {} : { ownersFound: entriesOf(record.ownersFound) }),
    removed: record.removed.filter((fact) => chosen(removalKey(fact))),
    changed: record.changed.filter(isChosen),
  };
}

/** The part of a record that its layer made. */
export function withoutAdopted(record: ContributionRecord): ContributionRecord {
  const adopted = [...record.said, ...record.changed].filter((part) => part.adopted).map(attributeKey);
  const all = new Set([...record.adopted, ...adopted]);
  return partOf(record, (key) => !all.has(key));
}

/** A record of which nothing is adopted: what leaves a layer's files goes, though it was there before. */
export function withoutAdoptions(record: ContributionRecord): ContributionRecord {
  const own = <T extends Attribute & { adopted: boolean }>(part: T): T => ({ ...part, adopted: false });
  return { ...record, adopted: [], said: record.said.map(own), changed: record.changed.map(own) };
}

/** A record with some of its keys adopted: a layer that takes them from it has not made them. */
export function withAdopted(record: ContributionRecord, keys: ReadonlySet<string>): ContributionRecord {
  const adopting = <T extends Attribute & { adopted: boolean }>(part: T): T =>
    keys.has(attributeKey(part)) ? { ...part, adopted: true } : part;
  return {
    ...record,
    adopted: [...new Set([...record.adopted, ...Object.keys(record.added).filter((key) => keys.has(key))])],
    said: record.said.map(adopting),
    changed: record.changed.map(adopting),
  };
}

/** Whether a destroy would take anything back. */
export function holdsAnything(record: ContributionRecord): boolean {
  const { remove, restore, reset } = reversalOf(record);
  return remove.size + restore.length + reset.length > 0;
}

/** What two records of one layer say together; where both say something, the first is right. */
export function mergeRecords(
  first: ContributionRecord | undefined,
  second: ContributionRecord | undefined,
): ContributionRecord | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const known = new Set(ownedIds(first));
  const isNew = (part: Attribute): boolean => !known.has(attributeKey(part));
  const forms = { ...second.forms, ...first.forms };
  return {
    added: { ...second.added, ...first.added },
    ...(Object.keys(forms).length === 0 ? {} : { forms }),
    adopted: [...first.adopted, ...second.adopted.filter((key) => !(key in first.added))],
    said: [...first.said, ...second.said.filter(isNew)],
    owners: { ...second.owners, ...first.owners },
    ...(first.ownersFound === undefined && second.ownersFound === undefined
      ? {}
      : { ownersFound: { ...second.ownersFound, ...first.ownersFound } }),
    removed: [...first.removed, ...second.removed.filter((fact) => !known.has(removalKey(fact)))],
    changed: [...first.changed, ...second.changed.filter(isNew)],
  };
}

/**
 * What to take back of a record: all of it but what is adopted and what is still held.
 *
 * @param held the {@link ownedIds} of the record that takes its place, and of other layers.
 */
export function reversalOf(record: ContributionRecord, held: ReadonlySet<string> = new Set()): Reversal {
  const adopted = new Set(record.adopted);
  const changes: AttributeChange[] = record.changed
    .filter((change) => !change.adopted && !held.has(attributeKey(change)))
    .map((change) => ({ ...change, id: parseId(change.id) }));
  const sayings: AttributeChange[] = record.said
    .filter((saying) => !saying.adopted && !held.has(attributeKey(saying)))
    .map(({ id, attribute, value }) => ({
      id: parseId(id),
      attribute,
      from: openValue(parseId(id), attribute),
      to: value,
    }));
  return {
    remove: new Set(Object.keys(record.added).filter((key) => !adopted.has(key) && !held.has(key))),
    restore: record.removed
      .filter((fact) => !held.has(removalKey(fact)))
      .map((fact) => ({
        id: parseId(fact.id),
        ...(fact.parent === undefined ? {} : { parent: parseId(fact.parent) }),
        payload: fact.payload,
      })),
    reset: [...changes, ...sayings],
  };
}

/** What a reversal changes of a database, as the keys of the record that it is of. */
export function keysTakenBack(live: FactBase, { remove, reset }: Reversal): string[] {
  return [
    ...[...remove].filter((key) => live.getByEncoded(key) !== undefined),
    ...reset.filter(({ id }) => live.has(id)).map(({ id, attribute }) => attributeKey({ id: encodeId(id), attribute })),
  ];
}

/** What of a record the database still has, as ids. */
export function present(live: FactBase, record: ContributionRecord): string[] {
  return Object.keys(record.added).filter((key) => live.getByEncoded(key) !== undefined);
}
