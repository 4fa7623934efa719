/**
 * What a Create or Update of a row would do, and its statement for the preview. Writing is left to
 * `write.ts`.
 */
import { type CallContext, type PlannedChange, type Properties, UNKNOWN, type Value } from "../../core/resourceType.ts";
import { isObject } from "../../core/values.ts";
import type { Database } from "../../database/target.ts";
import type { Session } from "../session.ts";
import { ArchivedRow } from "./archivedRow.ts";
import { type BoundRow, bindPlannedRow, unknownColumns } from "./boundRow.ts";
import { type Column, readColumns } from "./columns.ts";
import { refuseRowFaults } from "./foresee.ts";
import { identityIsUnknown, type RowInputs } from "./inputs.ts";
import { type LiveRow, readLiveForPlan } from "./read.ts";

/** What a preview foresees. */
export interface PlannedRow {
  exists: boolean;
  /** Whether an update would write it. */
  isWritten: boolean;
  /** The returned columns; unknown where only the write will tell. */
  columns: Value;
}

/** The row as it is, as far as a preview can see it; undefined when it is to be inserted. */
export interface FoundRow {
  row: BoundRow;
  live: LiveRow;
  columns: ReadonlyMap<string, Column>;
}

/**
 * Looks for the row without changing anything. A table that is not there yet is a layer's business in the
 * same preview.
 */
export async function findRow(database: Database, inputs: RowInputs): Promise<FoundRow | undefined> {
  if (identityIsUnknown(inputs) || !inputs.table) return undefined;
  const pool = await database.pool();
  const columns = await readColumns(pool, inputs.table);
  const row = columns && bindPlannedRow(inputs, columns);
  if (!columns || !row) return undefined;
  const live = await readLiveForPlan(pool, row);
  return live && { row, live, columns };
}

/** Foresees a create or an update and publishes its statement. */
export async function planRow(session: Session, inputs: RowInputs, context: CallContext): Promise<PlannedRow> {
  const { database, planned } = session;
  if (!database) {
    context.report.info("the database's URL is not known yet, so this is planned without looking at the database");
  }
  const found = database && (await findRow(database, inputs));
  const paths = new Set(found && [...found.live.differing.map(({ path }) => path), ...found.row.undetermined]);
  if (database && (!found || paths.size > 0)) {
    await refuseRowFaults(session, database, inputs);
    planned.rows(inputs.table);
  }
  if (!found) {
    (await ArchivedRow.find(session, inputs, context.urn))?.foretell(context.report);
    await context.report.plan([statement("insert", inputs, undefined)]);
    return {
      exists: false,
      isWritten: true,
      columns: inputs.unknown.has("returning") ? UNKNOWN : unknownColumns(inputs.returning),
    };
  }
  const { live, columns } = found;
  if (paths.size > 0) await context.report.plan([statement("update", inputs, paths)]);
  return { exists: true, isWritten: paths.size > 0, columns: foreseenColumns(inputs, live, columns, paths.size > 0) };
}

/** After an update, a trigger may have changed any column but those that identify the row. */
function foreseenColumns(
  inputs: RowInputs,
  live: LiveRow,
  columns: ReadonlyMap<string, Column>,
  written: boolean,
): Value {
  if (inputs.unknown.has("returning")) return UNKNOWN;
  return Object.fromEntries(
    inputs.returning.map((name) => {
      const stays = !written || inputs.key.has(name) || columns.get(name)?.primaryKey === true;
      const value = live.columns[name];
      return [name, stays && value !== undefined ? value : UNKNOWN];
    }),
  );
}

/** `paths` limits an update to what is written; without it all columns are. */
function statement(
  verb: "insert" | "update",
  inputs: RowInputs,
  paths: ReadonlySet<string> | undefined,
): PlannedChange {
  const key = [...inputs.key]
    .map(([column, value]) => `${column}=${value === UNKNOWN ? "?" : String(value)}`)
    .join(" ");
  const isWritten = (path: string): boolean =>
    paths === undefined || paths.has(path) || paths.has(path.split(/[.[]/)[0] ?? path);
  const columns: Properties = {};
  const add = (property: string, values: ReadonlyMap<string, Value>, secret: boolean): void => {
    for (const [name, value] of values) {
      if (isWritten(`${property}.${name}`) || isWritten(`${property}["${name}"]`))
        columns[name] = secret ? "[secret]" : shown(value);
    }
  };
  if (!paths) add("key", inputs.key, false);
  add("values", inputs.values, false);
  add("secretValues", inputs.secretValues, true);
  if (!paths) add("initialValues", inputs.initialValues, false);
  if (!paths) add("initialSecretValues", inputs.initialSecretValues, true);
  return {
    name: `${verb} ${inputs.tableText || "a row"} ${key}`.trim(),
    op: verb === "insert" ? "create" : "update",
    details: { table: inputs.tableText || UNKNOWN, columns },
  };
}

/** An object with unknown parts shows as a whole. */
function shown(value: Value): Value {
  return isObject(value) && Object.keys(value).length === 0 ? "{}" : value;
}
