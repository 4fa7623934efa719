/**
 * How many entries of the server's lock table a transaction takes. Whether there is room for them is asked by
 * `apply/lockTableRoom.ts`.
 */
import { encodeId, type Fact, type FactBase } from "../catalog/pgDelta.ts";
import { text } from "../catalog/tables.ts";

/** Types whose values never leave the row, so that a table of them alone has no TOAST table. */
const SHORT = /^("char"|boolean|smallint|integer|bigint|real|double precision|money|uuid|oid|date|interval.*|time.*)$/;

/**
 * A change of a schema that is left out of every count: no lock is taken for it beyond that of its object.
 */
const FREE: ReadonlySet<Fact["id"]["kind"]> = new Set(["acl", "comment", "securityLabel", "defaultPrivilege"]);

/**
 * How many places of the server's lock table a transaction takes that turns `live` into `desired`. Creating
 * takes one for each table, index, sequence and view, and two for a TOAST table; dropping takes one for each
 * constraint, default, policy, trigger and row type as well. Changes of what is there count as their table.
 *
 * @param major of the server: from 18 on, a NOT NULL is a constraint like others.
 */
export function locksNeeded(live: FactBase, desired: FactBase, major: number): number {
  let count = 0;
  const changed = new Set<string>();
  for (const fact of desired.facts()) {
    const before = live.get(fact.id);
    if (before === undefined) count += relationsOf(fact, desired);
    if (before !== undefined && live.hashOf(fact.id) === desired.hashOf(fact.id)) continue;
    if (before === undefined && fact.parent === undefined) continue;
    const owner = before === undefined ? fact.parent : fact.id;
    if (owner !== undefined && live.has(owner)) changed.add(encodeId(owner));
  }
  for (const fact of live.facts()) {
    if (!desired.has(fact.id)) count += relationsOf(fact, live) + partsOf(fact, major);
  }
  return count + changed.size;
}

/** Relations that a fact stands for; each is locked when it is made and when it is dropped. */
function relationsOf(fact: Fact, facts: FactBase): number {
  switch (fact.id.kind) {
    case "table":
      return 1 + (facts.childrenOf(fact.id).some(isLong) ? 2 : 0);
    case "materializedView":
      return 3;
    case "foreignTable":
    case "index":
    case "sequence":
    case "view":
      return 1;
    case "column":
      // The sequence of an identity column is no fact.
      return fact.payload.identity ? 1 : 0;
    case "constraint":
      return ["p", "u", "x"].includes(text(fact, "type")) ? 1 : 0;
    default:
      return 0;
  }
}

const isLong = (fact: Fact): boolean => fact.id.kind === "column" && !SHORT.test(text(fact, "type"));

/** What else a drop locks: rows of other catalogs. */
function partsOf(fact: Fact, major: number): number {
  switch (fact.id.kind) {
    case "table":
    case "foreignTable":
      return 2; // the row type, and the array of it
    case "view":
    case "materializedView":
      return 3; // and the rule
    case "type":
    case "domain":
      return 3;
    case "column":
      return (major >= 18 && fact.payload.notNull === true ? 1 : 0) + (fact.payload.generatedExpr ? 1 : 0);
    case "constraint":
      return text(fact, "type") === "f" ? 5 : 1; // a foreign key has four triggers
    case "index":
    case "sequence":
      return 0;
    default:
      return FREE.has(fact.id.kind) ? 0 : 1;
  }
}
