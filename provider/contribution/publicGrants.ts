/**
 * Which privileges PUBLIC has on adopted objects although no layer grants them. They are revoked with the
 * desired state, in `resources/layer/desiredState.ts`.
 */
import { encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";

/**
 * What the server grants PUBLIC on a new object; a layer that takes it away says so, and one that does not
 * wants it.
 */
const BUILT_IN: Partial<Record<StableId["kind"], string>> = {
  function: "EXECUTE",
  procedure: "EXECUTE",
  aggregate: "EXECUTE",
  type: "USAGE",
  domain: "USAGE",
};

/**
 * Privileges of PUBLIC on objects, and on their columns, that no layer declares. `REVOKE … FROM PUBLIC` of
 * what PUBLIC does not have leaves no trace in a shadow, so that a database which opened its tables to
 * everybody would keep them open when it is adopted.
 *
 * @param isAdopted whether the object with this encoded id is being adopted.
 * @param declared encoded ids of what layers declare.
 */
export function undeclaredPublicGrants(
  live: FactBase,
  isAdopted: (target: string) => boolean,
  declared: ReadonlySet<string>,
): Fact[] {
  return live.facts().filter(({ id, payload }) => {
    if (id.kind !== "acl" || id.grantee !== "PUBLIC" || !isAdopted(encodeId(id.target))) return false;
    if (declared.has(encodeId(id)) || !Array.isArray(payload.privileges)) return false;
    return payload.privileges.some((privilege) => privilege !== BUILT_IN[id.target.kind]);
  });
}
