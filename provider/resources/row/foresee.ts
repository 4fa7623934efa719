// For what an update of a row would be refused, asked in a preview: as of a set that has only this row.
import type pg from "pg";
import type { Properties, Value } from "../../core/resourceType.ts";
import { containsUnknown } from "../../core/values.ts";
import type { Database } from "../../database/target.ts";
import { inTransaction } from "../../database/transaction.ts";
import { compareSet } from "../rows/compare.ts";
import { createTrials, readTrialShape, refuseRows } from "../rows/foresee.ts";
import type { RowsInputs } from "../rows/inputs.ts";
import { openSource } from "../rows/source.ts";
import { stageSet } from "../rows/stage.ts";
import type { Session } from "../session.ts";
import { requireRowColumns } from "./boundRow.ts";
import { type Column, readColumns } from "./columns.ts";
import { type RowInputs, WRITTEN } from "./inputs.ts";
import { missingTable } from "./write.ts";

/**
 * Nothing is asked of a table that is not there yet, nor of a row whose key is not known.
 *
 * @throws {UserError} with what the update would be refused for.
 */
export async function refuseRowFaults(session: Session, database: Database, inputs: RowInputs): Promise<void> {
  const { table } = inputs;
  const { planned, config } = session;
  if (table === undefined) return;
  const columns = await readColumns(await database.pool(), table);
  if (columns ? planned.drops(table) : !planned.makes(table)) throw missingTable(inputs);
  if (columns === undefined) return;
  requireRowColumns(inputs, columns, (name) => planned.addsColumn(name));
  const isOpen = [...inputs.key].some(
    ([name, value]) => !columns.has(name) || value === null || containsUnknown(value),
  );
  if (isOpen || inputs.unknown.has("key") || planned.changes(table)) return;
  await inTransaction(database, config, (client) => tryRow(client, session, inputs, columns), { isUndone: true });
}

async function tryRow(
  client: pg.ClientBase,
  { planned }: Session,
  row: RowInputs,
  columns: ReadonlyMap<string, Column>,
): Promise<void> {
  const shape = row.table && (await readTrialShape(client, row.table));
  if (shape === undefined) return;
  const inputs = asSet(row);
  const source = { ...openSource(inputs, ""), describe: () => "the row" };
  const { layout, ...staged } = await stageSet(client, inputs, source, columns, { isPlan: true });
  if (layout === undefined) return;
  const trials = await createTrials(client, shape, layout);
  await client.query("SET TRANSACTION READ ONLY");
  const changes = await compareSet(client, inputs, { layout, ...staged }, { isPlan: true });
  await refuseRows(client, { inputs, source, columns, layout, changes, trials, planned });
}

function asSet(row: RowInputs): RowsInputs {
  const { tableText, table, compareWith, unknown } = row;
  const written: Properties = Object.fromEntries(WRITTEN.flatMap((property): [string, Value][] => [...row[property]]));
  return {
    tableText,
    table,
    key: [...row.key.keys()],
    rows: [written],
    file: undefined,
    nullText: "",
    exclusive: false,
    secretColumns: [...row.secretValues.keys(), ...row.initialSecretValues.keys()],
    compareWith,
    initialColumns: [...row.initialValues.keys(), ...row.initialSecretValues.keys()],
    unknown,
  };
}
