/**
 * Whether a plan only adds what is not there yet, without making anybody wait. Such a plan can be carried out
 * and proved in one transaction, and undone without a trace.
 */
import type { FactBase } from "../catalog/pgDelta.ts";
import { locksOf } from "./requiredLocks.ts";
import type { Statement } from "./statement.ts";

/** @param before the catalog as it is, before the renames of the plan. */
export function onlyAdds(statements: readonly Statement[], before: FactBase, desired: FactBase): boolean {
  if (!statements.every(isOfOneTransaction)) return false;
  if (!before.facts().every(({ id }) => desired.has(id) && desired.hashOf(id) === before.hashOf(id))) return false;
  return locksOf(statements, before, desired).first === statements.length;
}

/** Whether nothing of it stays when its transaction is rolled back. */
const isOfOneTransaction = ({ transaction, backfill, copying, undo, renames }: Statement): boolean =>
  transaction === "shared" && [backfill, copying, undo, renames].every((part) => part === undefined);
