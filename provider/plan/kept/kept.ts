/**
 * What a plan may not do because of what is kept: it is none of its facts, and would be lost or in the way.
 */
import { factsOfKept, type Kept } from "../../catalog/kept.ts";
import { describe, ownerObject } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { UserError } from "../../core/errors.ts";
import { repartitioned } from "../inheritance/links.ts";

/**
 * @param nameNow what the database calls an object before the plan.
 * @throws {UserError} where a table is copied that has a kept column, or something goes that is needed.
 */
export function refuseLosingKept(
  kept: Kept,
  { live, desired }: { live: FactBase; desired: FactBase },
  nameNow: (id: StableId) => StableId,
  isGoing: (key: string) => boolean,
): void {
  const { whole, columns } = kept;
  if (whole === undefined) return;
  const copied = new Set(repartitioned(live, desired).map((table) => encodeId(nameNow(table))));
  const faults = columns
    .filter(({ id }) => copied.has(encodeId(ownerObject(id))) && !isGoing(encodeId(id)))
    .map(({ id }) => `${describe(ownerObject(id))} is copied into another, without ${describe(id)}.`);
  const hidden = factsOfKept(kept, whole.facts());
  for (const { kind, from, to } of whole.edges) {
    const isNeeded = kind === "depends" && hidden.has(encodeId(from)) && !hidden.has(encodeId(to));
    if (!isNeeded || isGoing(encodeId(from)) || !live.has(to) || desired.has(to) || to.kind === "schema") continue;
    // Where the table of a column goes, the column goes along with it.
    if (live.has(ownerObject(from)) && !desired.has(ownerObject(from))) continue;
    faults.push(`${describe(to)} is dropped, and ${describe(from)} needs it.`);
  }
  if (faults.length === 0) return;
  throw new UserError(
    "PS831",
    `${[...new Set(faults)].join("\n")}\nExpected a plan that leaves alone what is kept until its date: make the change after that, or drop by hand what is kept. Nothing was changed.`,
  );
}
