/** Deletes the rows that a set has made. Which these are is kept in `made.ts`. */
import type pg from "pg";
import { UserError } from "../../core/errors.ts";
import type { BeforeChange } from "../../guard/guard.ts";
import { readColumns } from "../row/columns.ts";
import { findDependents, refusalOf } from "../row/dependents.ts";
import type { RowsInputs } from "./inputs.ts";
import { type MadeKeys, stageMade } from "./made.ts";
import { deleteMade, isMade, lockMade } from "./sql.ts";
import { counted } from "./words.ts";
import { seeAllRows } from "./write.ts";

/**
 * Deletes the rows that the resource made and that are still there; within a transaction. Throws a
 * `UserError`, with nothing changed, when other rows still refer to them.
 */
export async function removeMade(
  client: pg.ClientBase,
  { table, tableText }: RowsInputs,
  made: MadeKeys,
  beforeChange: BeforeChange,
): Promise<void> {
  const columns = table && (await readColumns(client, table));
  const key = columns && (await stageMade(client, columns, made));
  if (key === undefined || table === undefined) return;
  await seeAllRows(client);
  // The locks keep others from adding rows that refer to these until the end.
  const { rowCount: found } = await client.query(lockMade(table, key));
  const dependents = await findDependents(client, { table, condition: (relation) => isMade(key, relation) });
  if (dependents.length > 0) {
    throw new UserError(
      "PS404",
      refusalOf(
        `${counted(found ?? 0)} of ${tableText} cannot be deleted, because rows that are not part of this program refer to them`,
        dependents,
        "Expected none. Delete or move them first; or, where this program holds them, let them depend on these rows (dependsOn); or keep " +
          "the rows with the resource option retainOnDelete",
      ),
    );
  }
  if (found === 0) return;
  beforeChange();
  const { rowCount } = await client.query(deleteMade(table, key));
  if (rowCount !== found) {
    throw new UserError(
      "PS403",
      `${tableText}: the deletion removed ${counted(rowCount ?? 0)}, expected ${found ?? 0}. A trigger stands in the way; nothing was changed. ` +
        "Change the trigger, or keep the rows with the resource option retainOnDelete",
    );
  }
}
