/** Whether a database is as desired, after an update or within its transaction: by its catalog, read back. */
import type { PoolClient } from "pg";
import { describe } from "../../catalog/objectNames.ts";
import type { FactBase, PayloadValue } from "../../catalog/pgDelta.ts";
import type { Catalog } from "../../catalog/readCatalog.ts";
import { contributionOf } from "../../contribution/contribution.ts";
import { UserError } from "../../core/errors.ts";
import { addTime } from "../../core/timing.ts";
import { planStatements } from "../../plan/planStatements.ts";
import { namesFirst, type Transition } from "../../plan/transition.ts";
import type { LiveCatalog } from "./catalogCache.ts";

/**
 * A transaction that could not be shown to lead to what is desired, so nothing of it stays. Its plan is
 * rehearsed then, which tells what is wrong with it.
 */
export class Unproven extends Error {}

/**
 * The catalog as an open transaction has made it, which is as desired.
 *
 * @throws {Unproven} where it is not, or cannot be read.
 */
export async function provedWithin(live: LiveCatalog, client: PoolClient, desired: FactBase): Promise<Catalog> {
  const begun = performance.now();
  const made = await live.within(client).catch((cause: unknown) => {
    throw new Unproven("the catalog could not be read within the transaction", { cause });
  });
  if (made.facts.rootHash !== desired.rootHash) throw new Unproven("the transaction has led elsewhere");
  // Reading counts as such, not as a part of the execution.
  addTime("apply", begun - performance.now());
  return made;
}

/** @throws {UserError} with what is still needed, and how it differs. */
export async function prove(
  live: Pick<Catalog, "facts" | "kept">,
  desired: FactBase,
  goal: (live: Pick<Catalog, "facts" | "kept">) => Promise<Transition<unknown>>,
): Promise<void> {
  // Equal as a whole, mostly; only what differs is worth a plan.
  if (live.facts.rootHash === desired.rootHash) return;
  const next = await goal(live);
  const left = [...namesFirst(next), ...planStatements(next.live, next.desired).statements];
  if (left.length === 0) return;
  throw new UserError(
    "PS309",
    [
      `After the update ${left.length === 1 ? "1 statement is" : `${left.length} statements are`} still needed, expected none:`,
      ...left.slice(0, MOST_SHOWN).map((statement) => `    ${statement.sql.split("\n")[0]}`),
      ...differing(next.live, next.desired).slice(0, MOST_SHOWN),
      "Run `pulumi up` again: if nothing is left then, another session changed the database in the meantime. If it persists, it is a defect in pgstrata, not in " +
        "your files: report it with this message, the definition in the file and the server's version.",
    ].join("\n"),
  );
}

const MOST_SHOWN = 10;

/** What differs of objects that both sides have, one form above the other. */
function differing(live: FactBase, desired: FactBase): string[] {
  return contributionOf(live, desired).changed.map(({ id, attribute, from, to }) =>
    [
      `  ${attribute} of ${describe(id)}:`,
      `    the server has  ${shown(from)}`,
      `    the files say   ${shown(to)}`,
    ].join("\n"),
  );
}

const shown = (value: PayloadValue): string =>
  (typeof value === "string" ? value : JSON.stringify(value ?? null)).replaceAll("\n", " ");
