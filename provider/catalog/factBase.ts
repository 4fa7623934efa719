/**
 * Fact bases that share what they have in common. Of one database a run makes many: as it is, as each layer
 * wants it, parts of both, and the same as it is read again. What a fact is, `pgDelta.ts` says.
 */
import { hash } from "node:crypto";
import { growSlowly } from "../core/heap.ts";
import {
  contentHash,
  type DependencyEdge,
  encodeId,
  type Fact,
  FactBase,
  type Payload,
  type PayloadValue,
  rememberEncoded,
  type StableId,
} from "./pgDelta.ts";

/** What goes into a fact base, and what it may lead to that is not in it. */
interface Options {
  allowDangling?: (edge: DependencyEdge) => boolean;
}

/** Facts of some 1,000 tables; what is made on the way to them is several times as large. */
const LARGE = 15_000;

/** As the library's function of that name, with the facts shared. */
export const buildFactBase = (
  facts: Iterable<Fact>,
  edges: Iterable<DependencyEdge>,
  source: FactBase["source"] = "liveDb",
  options: Options = {},
): FactBase => new SharedFactBase(facts, edges, source, options);

/** Whether each fact of `part` is in `whole`, and the same there. */
export const isPartOf = (part: FactBase, whole: FactBase): boolean =>
  part.facts().every(({ id }) => whole.has(id) && whole.hashOf(id) === part.hashOf(id));

/**
 * Answers as the library's own, which derives all that it may be asked for from each fact of each base and
 * keeps that. Here a fact has one object, one id and one encoded id in all bases of a process, and equal
 * payloads are one; what follows from facts and edges together is derived when it is asked for.
 */
class SharedFactBase extends FactBase {
  readonly #facts = new Map<string, Fact>();
  readonly #edges: DependencyEdge[] = [];
  #children: ReadonlyMap<string, Fact[]> | undefined;
  #outgoing: ReadonlyMap<string, DependencyEdge[]> | undefined;
  #incoming: ReadonlyMap<string, DependencyEdge[]> | undefined;
  readonly #rollups = new Map<string, string>();
  readonly #structural = new Map<string, string>();

  constructor(
    facts: Iterable<Fact>,
    edges: Iterable<DependencyEdge>,
    source: FactBase["source"],
    { allowDangling }: Options,
  ) {
    super([], [], source);
    for (const fact of facts) {
      const key = encodeId(fact.id);
      if (this.#facts.has(key)) throw new Error(`found the fact ${key} twice in a fact base`);
      this.#facts.set(key, shared(fact, key));
    }
    if (this.#facts.size > LARGE) growSlowly();
    for (const [key, { parent }] of this.#facts)
      if (parent !== undefined && !this.#facts.has(encodeId(parent)))
        throw new Error(`the fact ${key} is in a fact base without its parent ${encodeId(parent)}`);
    for (const edge of edges) {
      const [from, to] = [this.get(edge.from)?.id, this.get(edge.to)?.id];
      if ((from === undefined || to === undefined) && allowDangling?.(edge) !== true) continue;
      const isShared = (from ?? edge.from) === edge.from && (to ?? edge.to) === edge.to;
      this.#edges.push(isShared ? edge : { kind: edge.kind, from: from ?? edge.from, to: to ?? edge.to });
    }
  }

  override get edges(): readonly DependencyEdge[] {
    return this.#edges;
  }

  override getByEncoded(encoded: string): Fact | undefined {
    return this.#facts.get(encoded);
  }

  override facts(): Fact[] {
    return [...this.#facts.values()];
  }

  override get(id: StableId): Fact | undefined {
    return this.#facts.get(encodeId(id));
  }

  override has(id: StableId): boolean {
    return this.#facts.has(encodeId(id));
  }

  override hashOf(id: StableId): string {
    const fact = this.get(id);
    if (fact === undefined) throw new Error(`found no fact ${encodeId(id)}, expected it in the fact base`);
    return contentHash(fact.payload);
  }

  override childrenOf(id: StableId): Fact[] {
    return [...this.#childrenOf(encodeId(id))];
  }

  override outgoingEdges(id: StableId): readonly DependencyEdge[] {
    return this.#outgoingOf(encodeId(id));
  }

  override incomingEdges(id: StableId): readonly DependencyEdge[] {
    return this.incomingEdgesByEncoded(encodeId(id));
  }

  override incomingEdgesByEncoded(encoded: string): readonly DependencyEdge[] {
    this.#incoming ??= Map.groupBy(this.#edges, ({ to }) => encodeId(to));
    return (this.#facts.has(encoded) ? this.#incoming.get(encoded) : undefined) ?? [];
  }

  override roots(): Fact[] {
    return byKey([...this.#facts.values()].filter(({ parent }) => parent === undefined));
  }

  override rollupOf(id: StableId): string {
    return this.#rollup(encodeId(id));
  }

  override structuralRollupOf(id: StableId): string {
    return this.#structuralRollup(encodeId(id));
  }

  override get rootHash(): string {
    const roots = this.roots().map(({ id }) => `${encodeId(id)}=${this.rollupOf(id)}`);
    return sha256(`ROOT|${roots.join(",")}`);
  }

  #childrenOf(key: string): readonly Fact[] {
    this.#children ??= childrenByParent(this.#facts.values());
    return this.#children.get(key) ?? [];
  }

  #outgoingOf(key: string): readonly DependencyEdge[] {
    this.#outgoing ??= Map.groupBy(this.#edges, ({ from }) => encodeId(from));
    return (this.#facts.has(key) ? this.#outgoing.get(key) : undefined) ?? [];
  }

  /** The library's format: what it compares and what it is compared with. */
  #rollup(key: string): string {
    const known = this.#rollups.get(key);
    if (known !== undefined) return known;
    const children = this.#childrenOf(key).map(({ id }) => {
      const child = encodeId(id);
      return `${child}=${this.#rollup(child)}`;
    });
    const edges = this.#outgoingOf(key).map(({ kind, to }) => `${key}-[${kind}]->${encodeId(to)}`);
    const rollup = sha256(`F|${this.#hash(key)}|C|${children.join(",")}|E|${edges.sort().join(",")}`);
    this.#rollups.set(key, rollup);
    return rollup;
  }

  #structuralRollup(key: string): string {
    const known = this.#structural.get(key);
    if (known !== undefined) return known;
    const children = this.#childrenOf(key).map(({ id }) => this.#structuralRollup(encodeId(id)));
    const rollup = sha256(`S|${this.#hash(key)}|C|${children.sort().join(",")}`);
    this.#structural.set(key, rollup);
    return rollup;
  }

  #hash(key: string): string {
    const fact = this.#facts.get(key);
    if (fact === undefined) throw new Error(`found no fact ${key}, expected it in the fact base`);
    return contentHash(fact.payload);
  }
}

const sha256 = (text: string): string => hash("sha256", text, "hex");

const byKey = (facts: Fact[]): Fact[] =>
  facts
    .map((fact) => ({ fact, key: encodeId(fact.id) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ fact }) => fact);

function childrenByParent(facts: Iterable<Fact>): ReadonlyMap<string, Fact[]> {
  const children = new Map<string, Fact[]>();
  for (const fact of facts) {
    if (fact.parent === undefined) continue;
    const key = encodeId(fact.parent);
    const siblings = children.get(key);
    if (siblings === undefined) children.set(key, [fact]);
    else siblings.push(fact);
  }
  for (const [key, siblings] of children) if (siblings.length > 1) children.set(key, byKey(siblings));
  return children;
}

/** The first fact of each id that this process met, and the first payloads of each hash. */
const sharedFacts = new Map<string, Fact>();
const sharedPayloads = new Map<string, Payload[]>();

/** Beyond these, sharing begins anew: a process that lives long would keep what no database has any more. */
const MOST_SHARED = 1_000_000;

/** Payloads of one hash may still differ, in what is only carried along. */
const MOST_OF_A_HASH = 16;

function shared(fact: Fact, key: string): Fact {
  const known = sharedFacts.get(key);
  if (known === fact) return fact;
  const payload = sharedPayload(fact.payload);
  if (known === undefined) {
    if (sharedFacts.size >= MOST_SHARED) {
      sharedFacts.clear();
      sharedPayloads.clear();
    }
    rememberEncoded(fact.id, key);
    const first = { ...fact, ...withParent(fact.parent), payload };
    sharedFacts.set(key, first);
    return first;
  }
  const { id, parent } = known;
  const isSameParent = keyOf(parent) === keyOf(fact.parent);
  if (isSameParent && payload === known.payload) return known;
  return { id, ...(isSameParent ? withParent(parent) : withParent(fact.parent)), payload };
}

const keyOf = (id: StableId | undefined): string | undefined => id && encodeId(id);

function withParent(parent: StableId | undefined): { parent?: StableId } {
  return parent === undefined ? {} : { parent: sharedFacts.get(encodeId(parent))?.id ?? parent };
}

function sharedPayload(payload: Payload): Payload {
  const key = contentHash(payload);
  const known = sharedPayloads.get(key);
  if (known === undefined) {
    sharedPayloads.set(key, [payload]);
    return payload;
  }
  const same = known.find((each) => isEqual(each, payload));
  if (same !== undefined) return same;
  if (known.length < MOST_OF_A_HASH) known.push(payload);
  return payload;
}

/** Whether two values are the same in all, also in what no hash contains. */
function isEqual(a: PayloadValue, b: PayloadValue): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((each, n) => isEqual(each, b[n]));
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isEqual(a[key], b[key]));
}
