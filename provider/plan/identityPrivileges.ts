/**
 * When privileges and comments on the sequence of an identity column come and go. Reading them is left to
 * `catalog/kinds/identitySequences.ts`.
 */
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import { isNeedless } from "./defaultPrivileges.ts";

interface PlannedPart {
  sql: string;
  id: StableId | undefined;
}

/**
 * Statements in which what is on the sequence of an identity column is given once the column is an identity,
 * and taken away while it still is: the planner does not know that the one makes the other.
 */
export function withIdentityPrivileges<T extends PlannedPart>(
  statements: readonly T[],
  live: FactBase,
  desired: FactBase,
): T[] {
  const isOn = ({ id }: T): boolean =>
    (id?.kind === "acl" || id?.kind === "comment") &&
    id.target.kind === "sequence" &&
    (desired.get(id) ?? live.get(id))?.parent?.kind === "column";
  const isTaken = ({ id }: T): boolean => id !== undefined && !desired.has(id);
  const parts = statements.filter(isOn);
  if (parts.length === 0) return [...statements];
  return [
    ...parts.filter(isTaken),
    ...statements.filter((statement) => !isOn(statement)),
    ...parts.filter((part) => !isTaken(part) && !isNeedless(part, live, desired)),
  ];
}
