/** The deletion of a row, refused while other rows refer to it. Which ones do is found by `dependents.ts`. */
import type pg from "pg";
import { UserError } from "../../core/errors.ts";
import type { Reporter } from "../../core/resourceType.ts";
import type { Database } from "../../database/target.ts";
import { inTransaction } from "../../database/transaction.ts";
import type { BeforeChange, Change } from "../../guard/guard.ts";
import { isOfRegistration, isRegistrations, refuseLossOfCredential } from "../../registry/registrations.ts";
import type { Session } from "../session.ts";
import { bindRow } from "./boundRow.ts";
import { readColumns } from "./columns.ts";
import { type Dependents, findDependents, refusalOf } from "./dependents.ts";
import type { RowInputs } from "./inputs.ts";
import { describeRow, readLive } from "./read.ts";
import { deleteRow, keyCondition, Parameters } from "./sql.ts";

/**
 * Deletes the row, in one transaction. Nothing happens when the row or its table is gone already. Throws a
 * `UserError`, with nothing changed, when other rows still refer to it: Pulumi deletes what depends on the
 * row first, so those are not ours.
 */
export async function removeRow(
  session: Session,
  database: Database,
  inputs: RowInputs,
  change: Change,
): Promise<void> {
  const { signal, report } = change.context;
  await session.guard.guarded(change, (beforeChange) =>
    inTransaction(database, session.config, (client) => removeIn(client, inputs, beforeChange, report), {
      signal,
      onRetry: ({ attempt, reason }) => report.status(`${reason}: try ${attempt} follows`),
    }),
  );
}

async function removeIn(
  client: pg.ClientBase,
  inputs: RowInputs,
  beforeChange: BeforeChange,
  report: Pick<Reporter, "warn">,
): Promise<void> {
  const columns = inputs.table && (await readColumns(client, inputs.table));
  if (!columns) return;
  // Only the key counts: other columns may have been dropped since.
  const row = bindRow(keyOnly(inputs), columns);
  // The lock keeps others from adding rows that refer to this one until the end.
  const live = await readLive(client, row, { lock: true });
  if (!live) return;
  // Foreign keys see rows that policies hide from us; rather fail than count too few.
  await client.query("SET LOCAL row_security = off");
  const dependents = await findDependents(client, {
    table: row.table,
    condition: (relation, parameters) => keyCondition(row.key, parameters, relation),
    ...(isRegistrations(row.table) ? { isLeftOut: isOfRegistration } : {}),
  });
  if (dependents.length > 0) throw new UserError("PS404", refusal(describeRow(row), dependents));
  if (isRegistrations(row.table)) {
    const parameters = new Parameters();
    const condition = keyCondition(row.key, parameters, "d");
    const connectionString = inputs.secretValues.get("connection_string");
    const given = typeof connectionString === "string" ? connectionString : null;
    const place = parameters.add({ text: given, type: "pg_catalog.text" });
    await refuseLossOfCredential(client, { condition, given: place, values: parameters.values }, report.warn);
  }
  beforeChange();
  const { text, values } = deleteRow(row);
  const { rowCount } = await client.query(text, values);
  if (rowCount !== 1) {
    throw new UserError(
      "PS403",
      `${describeRow(row)}: the deletion removed ${rowCount ?? 0} rows, expected 1. A trigger interferes; nothing was changed. ` +
        "Change the trigger, or keep the row with the resource option retainOnDelete",
    );
  }
}

function keyOnly(inputs: RowInputs): RowInputs {
  return {
    ...inputs,
    values: new Map(),
    secretValues: new Map(),
    compareWith: new Map(),
    initialValues: new Map(),
    initialSecretValues: new Map(),
    returning: [],
  };
}

function refusal(row: string, dependents: readonly Dependents[]): string {
  return refusalOf(
    `${row} is not deleted, because rows that are not part of this program refer to it`,
    dependents,
    "Expected none. Delete or move them first; or, where this program holds them, let them depend on this row (dependsOn); or keep the " +
      "row with the resource option retainOnDelete",
  );
}
