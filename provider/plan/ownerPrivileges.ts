/**
 * What the owner of a new object may do, where that is not all that comes with it. The planner does not know
 * who the owner is where that is the connecting role.
 */
import { type Action, encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";

/** As GRANT and REVOKE call a kind of object. */
const WORDS: Partial<Record<StableId["kind"], string>> = {
  sequence: "SEQUENCE",
  function: "FUNCTION",
  procedure: "PROCEDURE",
  aggregate: "FUNCTION",
  type: "TYPE",
  domain: "TYPE",
  schema: "SCHEMA",
  fdw: "FOREIGN DATA WRAPPER",
  server: "FOREIGN SERVER",
};

const targetOf = (id: StableId): string => {
  const name = "name" in id ? id.name : "";
  const whole = "schema" in id && id.schema !== null ? quoteQualified(id.schema, name) : quoteIdent(name);
  return `${WORDS[id.kind] ?? "TABLE"} ${whole}${"args" in id ? `(${id.args.join(", ")})` : ""}`;
};

/** Takes all privileges on an object from a role or PUBLIC. */
export const revokeAll = (id: StableId, grantee: string): string =>
  `REVOKE ALL ON ${targetOf(id)} FROM ${grantee === "PUBLIC" ? grantee : quoteIdent(grantee)}`;

/**
 * Actions in which an owner loses all of a new object before it gets what is left to it, and gets all of an
 * object of which nothing is taken from it any more.
 */
export function withOwnerPrivileges(actions: readonly Action[], live: FactBase, desired: FactBase): Action[] {
  const made = new Set(actions.flatMap(({ verb, produces }) => (verb === "create" ? produces.map(encodeId) : [])));
  const left = new Map(
    desired.facts().flatMap(({ id, payload: { privileges, _ownerDefault } }) => {
      if (id.kind !== "acl" || !Array.isArray(_ownerDefault) || made.has(encodeId(id))) return [];
      const isSome = Array.isArray(privileges) && privileges.length > 0;
      return isSome && made.has(encodeId(id.target)) ? [[encodeId(id.target), id] as const] : [];
    }),
  );
  return actions.flatMap((action) => {
    const [gone] = action.verb === "drop" ? action.destroys : [];
    if (gone?.kind === "acl" && isGivenBack(gone, live, desired))
      return [{ ...action, sql: `GRANT ALL ON ${targetOf(gone.target)} TO ${quoteIdent(gone.grantee)}` }];
    const target = action.sql.startsWith("GRANT ") ? action.consumes.find((id) => left.has(encodeId(id))) : undefined;
    const owner = target === undefined ? undefined : left.get(encodeId(target));
    if (target === undefined || owner === undefined) return [action];
    left.delete(encodeId(target));
    return [{ ...action, sql: revokeAll(target, owner.grantee), produces: [owner] }, action];
  });
}

/** What an owner may do is no fact where it is all; with another owner the server hands it on. */
function isGivenBack(id: Extract<StableId, { kind: "acl" }>, live: FactBase, desired: FactBase): boolean {
  const fact = live.get(id);
  if (!Array.isArray(fact?.payload._ownerDefault) || fact.parent === undefined) return false;
  const owner = (side: FactBase): string | undefined =>
    side.outgoingEdges(id.target).flatMap(({ kind, to }) => (kind === "owner" ? [encodeId(to)] : []))[0];
  return desired.has(fact.parent) && !desired.has(id) && owner(live) === owner(desired);
}
