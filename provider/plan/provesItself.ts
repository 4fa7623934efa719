/**
 * Whether a plan can be carried out and proved in one transaction, without anybody waiting for what stays,
 * and be undone without a trace: such a plan needs no rehearsal.
 */
import { isPartOf } from "../catalog/factBase.ts";
import { type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import { isStrong, locksOf } from "./requiredLocks.ts";
import type { Statement } from "./statement.ts";

/**
 * Whether a plan only adds what is not there yet, and nobody waits for it.
 *
 * @param before the catalog as it is, before the renames of the plan.
 */
export function onlyAdds(statements: readonly Statement[], before: FactBase, desired: FactBase): boolean {
  return (
    statements.every(isOfOneTransaction) &&
    isPartOf(before, desired) &&
    locksOf(statements, before, desired).first === statements.length
  );
}

/** Whether a plan only drops, and whoever waits for it waits for something that goes. */
export function onlyDrops(statements: readonly Statement[], before: FactBase, desired: FactBase): boolean {
  const stays = (id: StableId | undefined): boolean => id !== undefined && id.kind !== "schema" && desired.has(id);
  const locksWhatStays = ({ id, lock }: Statement): boolean =>
    isStrong(lock) && (id === undefined || stays(id) || stays(before.get(id)?.parent));
  return (
    statements.every((statement) => isOfOneTransaction(statement) && !locksWhatStays(statement)) &&
    isPartOf(desired, before) &&
    ![...locksOf(statements, before, desired).waitedFor].some((table) => stays(parseId(table)))
  );
}

/** Whether nothing of it stays when its transaction is rolled back. */
const isOfOneTransaction = ({ transaction, backfill, copying, undo, renames }: Statement): boolean =>
  transaction === "shared" && [backfill, copying, undo, renames].every((part) => part === undefined);
