/**
 * Names of the helper constraints and indexes that recipes create, and which of them an interrupted run has
 * left. Their SQL is written in `online/`.
 */
import { encodeId, type Fact, type FactBase } from "../catalog/pgDelta.ts";
import { text } from "../catalog/tables.ts";
import { revertContribution } from "../contribution/contribution.ts";
import { LONGEST_NAME_BYTES, shortened } from "./indexDefinition.ts";

interface ColumnId {
  schema: string;
  table: string;
  name: string;
}

/** The name of the check that stands in for NOT NULL until that is set. */
export const notNullCheck = (id: ColumnId, desired: FactBase): string =>
  checkName(`pgstrata_not_null_${id.name}`, id, desired);

/** The name of a check that refuses nothing and says that rows of a new column are still to be filled in. */
export const fillMark = (id: ColumnId, desired: FactBase): string => checkName(`pgstrata_fill_${id.name}`, id, desired);

const RECHECK = "pgstrata_recheck_";

/** The name of the check beside a valid one, whose validation reads the rows once more. */
export const recheckName = (name: string): string => shortened(RECHECK + name, LONGEST_NAME_BYTES);

/** Checks of that kind that a run which was killed has left. */
export const leftRechecks = (live: FactBase): Fact[] =>
  live.facts().filter(({ id }) => id.kind === "constraint" && id.name.startsWith(RECHECK));

const BOUND_CHECK = "pgstrata_bound_";

/** The name of a check that says what the bound of a partition says. */
export const boundCheck = ({ name }: { name: string }): string =>
  shortened(`${BOUND_CHECK}${name}`, LONGEST_NAME_BYTES);

/** Facts without such checks, which a run that ended in between may have left. */
export function withoutLeftOvers(facts: FactBase): FactBase {
  const found = facts.facts().filter(({ id }) => id.kind === "constraint" && id.name.startsWith(BOUND_CHECK));
  return revertContribution(facts, { remove: new Set(found.map(({ id }) => encodeId(id))), restore: [], reset: [] });
}

/** As the server prints the first two. */
const RECIPE_CHECK = /^CHECK \(\(+.* IS NOT NULL\)( OR true\))?\)( NOT VALID)?$/s;

/** What follows the name of an index while the one that is to replace it is built. */
export const REPLACEMENT_SUFFIX = "__pgstrata_new";

/** Whether an object is a helper that a recipe left behind and takes away when it runs again. */
export function isLeftOver({ id, payload }: Fact): boolean {
  if (id.kind === "index") return id.name.endsWith(REPLACEMENT_SUFFIX);
  return id.kind === "constraint" && id.name.startsWith("pgstrata_") && RECIPE_CHECK.test(String(payload.def));
}

/** The name, or another one where a check of this name stands that is none of a recipe. */
function checkName(name: string, id: ColumnId, desired: FactBase): string {
  const fitting = shortened(name, LONGEST_NAME_BYTES);
  const there = desired.get({ kind: "constraint", schema: id.schema, table: id.table, name: fitting });
  const isTaken = there !== undefined && !RECIPE_CHECK.test(text(there, "def"));
  return isTaken ? checkName(`pgstrata_${name}`, id, desired) : fitting;
}
