/** Which roles facts name. Whether they exist, and who creates them, is left to `shadow/` and the program. */
import { asObject, splitName } from "./kinds/kind.ts";
import type { DependencyEdge, Fact, StableId } from "./pgDelta.ts";

/**
 * Roles that facts and edges name: owners, those who are granted something, those whom a policy is for.
 * Without PUBLIC and `pg_*`.
 */
export function rolesNamedBy(facts: readonly Fact[], edges: readonly DependencyEdge[]): Set<string> {
  const named = [
    ...facts.flatMap(({ id, payload }) => [
      ...rolesOf(id),
      ...(asObject(id) !== undefined && typeof payload.owner === "string" ? [payload.owner] : []),
      ...(id.kind === "policy" && Array.isArray(payload.roles) ? payload.roles.map(String) : []),
    ]),
    ...edges.flatMap(({ to }) => rolesOf(to)),
  ];
  return new Set(named.filter((role) => role !== "PUBLIC" && !role.startsWith("pg_")));
}

function rolesOf(id: StableId): string[] {
  switch (id.kind) {
    case "role":
      return [id.name];
    case "acl":
      return [id.grantee];
    case "defaultPrivilege":
      return [id.role, id.grantee];
    case "userMapping":
      return [id.role];
    case "extensionIntent":
      return id.intentKind === "privileges on language" ? splitName(id.key).slice(1) : [];
    default:
      return [];
  }
}
