import { buildFactBase as librarys } from "@supabase/pg-delta/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { buildFactBase } from "../../../provider/catalog/factBase.ts";
import { type DependencyEdge, diff, encodeId, type Fact, FactBase } from "../../../provider/catalog/pgDelta.ts";
import { column, depends, ownedBy, policy, schema, table, view } from "../../support/handMadeFacts.ts";

const NAMES = ["a", "b", "c"];

/** What the generated bases are made of: some facts have several payloads, which may differ in metadata. */
const ALL: Fact[] = NAMES.flatMap((name) => [
  schema(name),
  view(name, "v", "select 1"),
  view(name, "v", "select 2"),
  ...NAMES.flatMap((t) => [
    table(name, t),
    table(name, t, { _inheritance: { columns: [{ _position: 1 }] } }),
    table(name, t, { _inheritance: { columns: [{ _position: 2 }] } }),
    table(name, t, { rowSecurity: true }),
    column(name, t, "x", { type: "integer", _position: 1 }),
    column(name, t, "x", { type: "integer", _position: 2 }),
    column(name, t, "x", { type: "text", reloptions: ["a", "b"], start: 1n }),
    policy(name, t, "p", { using: "true" }),
  ]),
]);

const copy = (fact: Fact): Fact => structuredClone(fact);
const allowDangling = (edge: DependencyEdge): boolean => edge.kind === "owner";

/** Some facts, each with its parent and once, and edges between any of them, some of which lead nowhere. */
const content = fc
  .tuple(fc.subarray(ALL), fc.array(fc.tuple(fc.constantFrom(...ALL), fc.constantFrom(...ALL)), { maxLength: 40 }))
  .map(([chosen, pairs]) => {
    const facts = new Map<string, Fact>();
    for (const fact of chosen) {
      if (fact.parent !== undefined && !facts.has(encodeId(fact.parent))) continue;
      const key = encodeId(fact.id);
      if (!facts.has(key)) facts.set(key, copy(fact));
    }
    const edges = pairs.flatMap(([from, to]) => [depends(copy(from), copy(to)), ownedBy(copy(from), "r")]);
    return { facts: [...facts.values()], edges };
  });

test("a fact base answers as the library's own does", () => {
  fc.assert(
    fc.property(content, ({ facts, edges }) => {
      const ours = buildFactBase(facts, edges, "liveDb", { allowDangling });
      const theirs = librarys(facts, edges, "liveDb", undefined, { allowDangling });
      expect(ours.facts()).toStrictEqual(theirs.facts());
      expect(ours.roots()).toStrictEqual(theirs.roots());
      expect(ours.edges).toStrictEqual(theirs.edges);
      for (const { id } of ALL) {
        const key = encodeId(id);
        expect(ours.has(id)).toBe(theirs.has(id));
        expect(ours.get(id)).toStrictEqual(theirs.get(id));
        expect(ours.getByEncoded(key)).toStrictEqual(theirs.getByEncoded(key));
        expect(ours.isReferenceOnly(id)).toBe(theirs.isReferenceOnly(id));
        expect(ours.childrenOf(id)).toStrictEqual(theirs.childrenOf(id));
        expect(ours.outgoingEdges(id)).toStrictEqual(theirs.outgoingEdges(id));
        expect(ours.incomingEdges(id)).toStrictEqual(theirs.incomingEdges(id));
        expect(ours.incomingEdgesByEncoded(key)).toStrictEqual(theirs.incomingEdgesByEncoded(key));
        if (!ours.has(id)) continue;
        expect(ours.hashOf(id)).toBe(theirs.hashOf(id));
        expect(ours.rollupOf(id)).toBe(theirs.rollupOf(id));
        expect(ours.structuralRollupOf(id)).toBe(theirs.structuralRollupOf(id));
      }
      expect(ours.rootHash).toBe(theirs.rootHash);
    }),
  );
});

test("two fact bases differ as the library's own do", () => {
  fc.assert(
    fc.property(content, content, (a, b) => {
      const [ours, theirs] = [
        diff(buildFactBase(a.facts, a.edges), buildFactBase(b.facts, b.edges)),
        diff(librarys(a.facts, a.edges), librarys(b.facts, b.edges)),
      ];
      expect(ours).toStrictEqual(theirs);
    }),
  );
});

test("all that the library's fact base answers is answered by the shared one", () => {
  const methods = Object.getOwnPropertyNames(FactBase.prototype).filter((name) => name !== "isReferenceOnly");
  const own = Object.getOwnPropertyNames(Object.getPrototypeOf(buildFactBase([], [])));
  expect(own.sort()).toEqual(methods.sort());
});

test("a fact that is read twice is one object with one id, and equal payloads are one", () => {
  const facts = [schema("s"), table("s", "t"), table("s", "u"), column("s", "t", "x", { type: "text" })];
  const first = buildFactBase(facts.map(copy), []).facts();
  const second = buildFactBase(facts.map(copy), []).facts();
  for (const [n, fact] of first.entries()) expect(second[n]).toBe(fact);
  expect(first[1]?.payload).toBe(first[2]?.payload);
  expect(first[3]?.parent).toBe(first[1]?.id);
});

test("a fact base refuses a fact that it has already, and one without its parent", () => {
  expect(() => buildFactBase([schema("s"), schema("s")], [])).toThrow("schema:s twice");
  expect(() => buildFactBase([table("s", "t")], [])).toThrow("table:s.t is in a fact base without its parent schema:s");
});
