/**
 * The layer algebra: contribution(layer) = facts(base + layer) − facts(base), desired = facts(live) ⊕
 * contribution. Pure functions over facts; nothing here reads a database or writes SQL.
 */
import { buildFactBase } from "../catalog/factBase.ts";
import {
  type DependencyEdge,
  diff,
  encodeId,
  type Fact,
  type FactBase,
  type PayloadValue,
  type StableId,
} from "../catalog/pgDelta.ts";
import { keepOwnerEdge } from "../catalog/readCatalog.ts";
import { type Forms, inFormOf } from "./forms.ts";
import { isLeftOpen, withOpenFrom } from "./openAttributes.ts";

/** One attribute of an object of the base that the layer changes, such as row security of a table. */
export interface AttributeChange {
  id: StableId;
  attribute: string;
  from: PayloadValue;
  to: PayloadValue;
}

/** What a layer changes in the facts of its base. */
export interface Contribution {
  added: Fact[];
  /** Facts of the base that the layer takes away, such as a privilege that it revokes. */
  removed: Fact[];
  changed: AttributeChange[];
  linked: DependencyEdge[];
  unlinked: DependencyEdge[];
  /** Other forms of the definitions that it adds, which hold those in their settled form. */
  forms: Forms;
}

/** A contribution of nothing. */
export const nothing: Contribution = { added: [], removed: [], changed: [], linked: [], unlinked: [], forms: {} };

/** facts(base + layer) − facts(base). */
export function contributionOf(base: FactBase, top: FactBase): Contribution {
  const contribution: Contribution = { added: [], removed: [], changed: [], linked: [], unlinked: [], forms: {} };
  for (const delta of diff(base, top)) {
    if (delta.verb === "add") contribution.added.push(delta.fact);
    else if (delta.verb === "remove") contribution.removed.push(delta.fact);
    else if (delta.verb === "link") contribution.linked.push(delta.edge);
    else if (delta.verb === "unlink") contribution.unlinked.push(delta.edge);
    else contribution.changed.push({ id: delta.id, attribute: delta.attr, from: delta.from, to: delta.to });
  }
  return contribution;
}

/**
 * Objects that a contribution changes or takes away although a layer of its base declares them otherwise: the
 * two would undo each other's work for ever.
 *
 * @param undeclared facts of the base that no layer declares: those of an empty database and of what is only
 *   assumed.
 */
export function conflicts(base: FactBase, undeclared: FactBase, contribution: Contribution): StableId[] {
  const declared = (id: StableId): boolean => base.has(id) && !undeclared.has(id);
  const changed = contribution.changed.filter(({ id, attribute }) => {
    const fact = base.get(id);
    return fact !== undefined && declared(id) && !isLeftOpen(fact, attribute);
  });
  const owned = [...contribution.linked, ...contribution.unlinked]
    .filter(keepOwnerEdge)
    .map(({ from }) => ({ id: from }));
  return [...changed, ...[...contribution.removed, ...owned].filter(({ id }) => declared(id))].map(({ id }) => id);
}

const edgeKey = (edge: DependencyEdge): string => `${encodeId(edge.from)}|${edge.kind}|${encodeId(edge.to)}`;

/** A mutable copy of a fact base, in which a contribution is worked in. */
class Draft {
  readonly facts: Map<string, Fact>;
  readonly edges: Map<string, DependencyEdge>;
  readonly source: FactBase["source"];

  constructor(base: FactBase) {
    this.facts = new Map(base.facts().map((fact) => [encodeId(fact.id), fact]));
    this.edges = new Map(base.edges.map((edge) => [edgeKey(edge), edge]));
    this.source = base.source;
  }

  dropEdgesFrom(ids: ReadonlySet<string>, kind: (edge: DependencyEdge) => boolean): void {
    for (const [key, edge] of this.edges) if (kind(edge) && ids.has(encodeId(edge.from))) this.edges.delete(key);
  }

  /** Facts whose parent is gone go too, and so do edges that lead nowhere. */
  build(): FactBase {
    const alive = new Map<string, boolean>();
    const isAlive = (key: string): boolean => {
      const known = alive.get(key);
      if (known !== undefined) return known;
      const fact = this.facts.get(key);
      const verdict = fact !== undefined && (fact.parent === undefined || isAlive(encodeId(fact.parent)));
      alive.set(key, verdict);
      return verdict;
    };
    const facts = [...this.facts].filter(([key]) => isAlive(key)).map(([, fact]) => fact);
    const edges = [...this.edges.values()].filter(
      (edge) => isAlive(encodeId(edge.from)) && (keepOwnerEdge(edge) || isAlive(encodeId(edge.to))),
    );
    return buildFactBase(facts, edges, this.source, { allowDangling: keepOwnerEdge });
  }
}

/** An object of the base that a contribution changes or stands on but the database lacks. */
export class MissingBaseObject extends Error {
  readonly id: StableId;

  constructor(id: StableId) {
    super(`the base object ${encodeId(id)} is missing`);
    this.id = id;
  }
}

/**
 * live ⊕ contribution.
 *
 * @throws {MissingBaseObject} when the contribution changes or needs an object that does not exist.
 */
export function applyContribution(live: FactBase, contribution: Contribution): FactBase {
  const draft = new Draft(live);
  for (const fact of contribution.removed) draft.facts.delete(encodeId(fact.id));
  const added = new Set(contribution.added.map((fact) => encodeId(fact.id)));
  for (const fact of contribution.added) {
    const key = encodeId(fact.id);
    const found = draft.facts.get(key);
    draft.facts.set(key, inFormOf(withOpenFrom(fact, found), found, contribution.forms));
  }
  for (const change of contribution.changed) {
    const key = encodeId(change.id);
    const fact = draft.facts.get(key);
    if (fact === undefined) throw new MissingBaseObject(change.id);
    draft.facts.set(key, { ...fact, payload: { ...fact.payload, [change.attribute]: change.to } });
  }
  // What a replaced fact depended on is given again by the contribution; its owner only where the
  // contribution names one.
  draft.dropEdgesFrom(added, (edge) => edge.kind === "depends");
  for (const edge of contribution.unlinked) draft.edges.delete(edgeKey(edge));
  draft.dropEdgesFrom(
    new Set(contribution.linked.filter(keepOwnerEdge).map((edge) => encodeId(edge.from))),
    keepOwnerEdge,
  );
  for (const edge of contribution.linked) draft.edges.set(edgeKey(edge), edge);
  requireAll(draft, [
    ...contribution.added.flatMap(({ parent }) => parent ?? []),
    ...contribution.linked.filter(({ kind }) => kind === "depends").map(({ to }) => to),
  ]);
  return draft.build();
}

/** Without this, what lacks its parent or what it depends on would be left out unseen. */
function requireAll({ facts }: Draft, ids: readonly StableId[]): void {
  const missing = ids.find((id) => !facts.has(encodeId(id)));
  if (missing !== undefined) throw new MissingBaseObject(missing);
}

/**
 * What is to be taken back of an earlier contribution: by identity, because a state holds no definitions of
 * what was added.
 */
export interface Reversal {
  /** Facts to remove, with everything below them. */
  remove: ReadonlySet<string>;
  restore: Fact[];
  reset: AttributeChange[];
}

/** live ⊖ reversal. An object of the base that is gone needs no reset. */
export function revertContribution(live: FactBase, reversal: Reversal): FactBase {
  if (reversal.remove.size + reversal.restore.length + reversal.reset.length === 0) return live;
  const draft = new Draft(live);
  const extensions = new Set<string>();
  for (const key of reversal.remove) {
    if (draft.facts.get(key)?.id.kind === "extension") extensions.add(key);
    draft.facts.delete(key);
  }
  // Members of an extension are children of their schema, yet they go with the extension.
  for (const edge of live.edges) {
    if (edge.kind === "memberOfExtension" && extensions.has(encodeId(edge.to))) draft.facts.delete(encodeId(edge.from));
  }
  // One whose parent is gone is left out when the facts are put together.
  for (const fact of reversal.restore) draft.facts.set(encodeId(fact.id), fact);
  for (const change of reversal.reset) {
    const key = encodeId(change.id);
    const fact = draft.facts.get(key);
    if (fact === undefined) continue;
    draft.facts.set(key, { ...fact, payload: { ...fact.payload, [change.attribute]: change.from } });
  }
  return draft.build();
}

/**
 * Which of the `candidates` some facts of a database cannot do without: they depend on them, however far.
 * With all that belongs to them.
 */
export function dependenciesOf(live: FactBase, ids: Iterable<string>, candidates: ReadonlySet<string>): Set<string> {
  const targets = new Map<string, string[]>();
  for (const { kind, from, to } of live.edges) {
    if (kind !== "depends") continue;
    const key = encodeId(from);
    targets.set(key, [...(targets.get(key) ?? []), encodeId(to)]);
  }
  const needed = new Set<string>();
  const open = [...ids];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    for (const target of targets.get(key) ?? []) {
      if (needed.has(target)) continue;
      needed.add(target);
      open.push(target);
    }
  }
  const found = new Set([...needed].filter((key) => candidates.has(key)));
  for (const id of unmanagedDescendants(live, found, found)) found.add(encodeId(id));
  return found;
}

/** Ids of the facts below one another that a fact base holds under `roots` and that are not among `known`. */
export function unmanagedDescendants(
  live: FactBase,
  roots: ReadonlySet<string>,
  known: ReadonlySet<string>,
): StableId[] {
  const found: StableId[] = [];
  for (const fact of live.facts()) {
    if (known.has(encodeId(fact.id))) continue;
    for (let parent = fact.parent; parent !== undefined; parent = live.get(parent)?.parent) {
      if (!roots.has(encodeId(parent))) continue;
      found.push(fact.id);
      break;
    }
  }
  return found;
}

/** Ids that a reversal removes and the database has. */
export function removedFrom(live: FactBase, { remove }: Reversal): Set<string> {
  return new Set(
    live
      .facts()
      .map((fact) => encodeId(fact.id))
      .filter((key) => remove.has(key)),
  );
}
