/** A part of a catalog's facts as a fact base of its own. */
import { buildFactBase } from "./factBase.ts";
import { type DependencyEdge, encodeId, type Fact, type FactBase } from "./pgDelta.ts";
import { keepOwnerEdge } from "./readCatalog.ts";

/**
 * A fact base that is not complete in itself: facts that lost their table, and edges that lead nowhere, go.
 */
export function factBaseOf(facts: Iterable<Fact>, edges: readonly DependencyEdge[], like: FactBase): FactBase {
  const all = new Map([...facts].map((fact) => [encodeId(fact.id), fact]));
  const isWhole = (fact: Fact | undefined): boolean =>
    fact !== undefined && (fact.parent === undefined || isWhole(all.get(encodeId(fact.parent))));
  const whole = [...all.values()].filter(isWhole);
  const present = new Set(whole.map(({ id }) => encodeId(id)));
  const kept = edges.filter(
    (edge) => present.has(encodeId(edge.from)) && (keepOwnerEdge(edge) || present.has(encodeId(edge.to))),
  );
  return buildFactBase(whole, kept, like.source, { allowDangling: keepOwnerEdge });
}
