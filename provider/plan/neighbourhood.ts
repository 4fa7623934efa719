/**
 * The part of a catalog that a plan has to do with: what it changes, what stands on that, and what both need.
 * A rehearsal needs no more of a database, however large it is.
 */
import { factBaseOf } from "../catalog/factBaseOf.ts";
import { encodeId, type Fact, type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import { tableOf, text } from "../catalog/tables.ts";
import { NamesInText, textBody } from "../catalog/textBodies.ts";
import type { Statement } from "./statement.ts";

/** What a plan starts from and is to lead to, without what it has nothing to do with. */
export interface Neighbourhood {
  before: FactBase;
  desired: FactBase;
}

/** @param before the catalog as it is, before the renames of the plan. */
export function neighbourhoodOf(statements: readonly Statement[], before: FactBase, desired: FactBase): Neighbourhood {
  const near = new Collector(before);
  for (const fact of before.facts()) {
    const then = desired.get(fact.id);
    if (then === undefined || desired.hashOf(fact.id) !== before.hashOf(fact.id)) near.change(fact.id);
    // They decide about the privileges of what is created.
    if (fact.id.kind !== "defaultPrivilege") continue;
    near.need(fact.id);
    if (fact.id.schema !== null) near.need({ kind: "schema", name: fact.id.schema });
  }
  for (const { id, renames, consumes, locksToo, sql } of statements) {
    // A conversion may call any function.
    if (id?.kind === "column") near.needNamedIn(sql);
    for (const touched of [id, renames])
      if (touched !== undefined)
        near.change(domainOf(touched, before, desired) ?? tableOf(touched, before, desired) ?? touched);
    // Of a table that another becomes a partition of, all counts.
    for (const needed of consumes) locksToo === undefined ? near.need(parseId(needed)) : near.change(parseId(needed));
  }
  for (const fact of desired.facts()) {
    const { id, parent } = fact;
    if (before.has(id) && before.hashOf(id) === desired.hashOf(id)) continue;
    near.needNamedIn(calledBody(fact));
    for (const { to } of desired.outgoingEdges(id)) near.need(to);
    if (before.has(id)) continue;
    near.needName(id);
    if (parent !== undefined) near.need(parent);
  }
  const isNear = (id: StableId): boolean => near.has(id);
  return {
    before: restricted(before, isNear),
    desired: restricted(desired, (id) => !before.has(id) || isNear(id)),
  };
}

/** The domain of a constraint: what holds its values decides whether the server can check them. */
export function domainOf(id: StableId, ...sides: readonly FactBase[]): StableId | undefined {
  const parents = sides.map((side) => side.get(id)?.parent);
  return id.kind === "constraint" ? parents.find((parent) => parent?.kind === "domain") : undefined;
}

function restricted(base: FactBase, isKept: (id: StableId) => boolean): FactBase {
  const all = base.facts();
  const kept = all.filter(({ id }) => isKept(id));
  return kept.length === all.length ? base : factBaseOf(kept, base.edges, base);
}

/** Parts of a table that others may stand on; the rest comes along only where the table itself changes. */
const NEEDED_PARTS: ReadonlySet<StableId["kind"]> = new Set(["column", "default", "index"]);

class Collector {
  private readonly base: FactBase;
  private readonly needed = new Set<string>();
  private readonly changed = new Set<string>();
  private readonly byName: Map<string, Fact[]>;
  private readonly names: NamesInText;

  constructor(base: FactBase) {
    this.base = base;
    this.names = NamesInText.of(base);
    this.byName = Map.groupBy(base.facts(), ({ id }) => nameOf(id));
  }

  has(id: StableId): boolean {
    return this.needed.has(encodeId(id));
  }

  /** With all that stands on it, and its parts. */
  change(start: StableId): void {
    const waiting = [start];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const key = encodeId(id);
      if (this.changed.has(key) || !this.base.has(id)) continue;
      this.changed.add(key);
      this.need(id);
      waiting.push(...this.base.incomingEdges(id).flatMap(({ kind, from }) => (kind === "owner" ? [] : [from])));
      if (id.kind !== "schema") waiting.push(...this.base.childrenOf(id).map((child) => child.id));
      const table = tableOf(id, this.base);
      if (table !== undefined) waiting.push(table);
    }
  }

  /** With all that it stands on. */
  need(start: StableId): void {
    const waiting = [start];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const key = encodeId(id);
      const fact = this.base.get(id);
      if (fact === undefined || this.needed.has(key)) continue;
      this.needed.add(key);
      if (fact.parent !== undefined) waiting.push(fact.parent);
      waiting.push(...this.base.outgoingEdges(id).map(({ to }) => to));
      waiting.push(...this.partsToStandOn(id), ...this.names.in(calledBody(fact)));
    }
  }

  /** What a text may call or read: the server looks into it before there is a row. */
  needNamedIn(sql: string): void {
    for (const id of this.names.in(sql)) this.need(id);
  }

  /** Whatever has the name of a new object, and so may be in its way. */
  needName(id: StableId): void {
    for (const fact of this.byName.get(nameOf(id)) ?? []) this.need(fact.id);
  }

  private partsToStandOn(id: StableId): StableId[] {
    if (id.kind === "schema") return [];
    if (id.kind === "extension") {
      const members = this.base.incomingEdges(id).filter(({ kind }) => kind === "memberOfExtension");
      return [...members.map(({ from }) => from), ...this.base.childrenOf(id).map((child) => child.id)];
    }
    return this.base.childrenOf(id).flatMap(({ id: child, payload }) => {
      const isKey = child.kind === "constraint" && payload.type !== "f";
      return isKey || NEEDED_PARTS.has(child.kind) || id.kind !== "table" ? [child] : [];
    });
  }
}

/** The text of a function that an expression can call, which the server may inline or run for constants. */
const calledBody = (fact: Fact): string => (/trigger$/.test(text(fact, "returnType")) ? "" : textBody(fact));

/** Alike for objects that cannot be beside one another. */
export function nameOf(id: StableId): string {
  return "schema" in id && "name" in id && !("table" in id) ? JSON.stringify([id.schema, id.name]) : encodeId(id);
}
