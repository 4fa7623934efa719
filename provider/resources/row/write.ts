/**
 * How a row is inserted or updated in one transaction, and read back as proof. What differs is told by
 * `read.ts`.
 */
import { createHash } from "node:crypto";
import type pg from "pg";
import { UserError } from "../../core/errors.ts";
import type { Properties } from "../../core/resourceType.ts";
import { timed } from "../../core/timing.ts";
import type { Database } from "../../database/target.ts";
import { inTransaction } from "../../database/transaction.ts";
import type { BeforeChange, Change } from "../../guard/guard.ts";
import { noteRows } from "../../verification/runWrites.ts";
import type { Session } from "../session.ts";
import { ArchivedRow } from "./archivedRow.ts";
import { type BoundRow, bindRow } from "./boundRow.ts";
import { readColumns } from "./columns.ts";
import type { RowInputs } from "./inputs.ts";
import { describeRow, isUnreadableSecret, readLive } from "./read.ts";
import { insertRow, type Statement, updateRow } from "./sql.ts";

/** What a write found and did. */
export interface Written {
  /** True when the row was there before. */
  existed: boolean;
  /** Whether a destroy leaves it, where this has created the resource. */
  isAdopted: boolean;
  /** Paths of the inputs that were written. */
  changed: string[];
  columns: Properties;
}

/**
 * Makes the row be as desired, in one transaction: inserts it, or sets only what differs. A secret that
 * matches already is not written again. Reads back and throws a `UserError`, with everything rolled back,
 * when the row is not as desired afterwards.
 */
export async function writeRow(
  session: Session,
  database: Database,
  inputs: RowInputs,
  change: Change,
): Promise<Written> {
  const { signal, report, urn } = change.context;
  const archived = await ArchivedRow.find(session, inputs, urn);
  const onInsert: WriteOptions["onInsert"] = async (client) => archived?.takeBack(client, report);
  const run = (skipSecrets: boolean): Promise<Written> =>
    session.guard.guarded(change, (beforeChange) =>
      inTransaction(
        database,
        session.config,
        (client) => writeIn(client, inputs, { skipSecrets, beforeChange, onInsert }),
        {
          signal,
          onRetry: ({ attempt, reason }) => report.status(`${reason}: try ${attempt} follows`),
        },
      ),
    );
  const written = await timed("rows", () => run(false)).catch((error: unknown) => {
    if (!isUnreadableSecret(error) || inputs.secretValues.size === 0) throw error;
    return run(true);
  });
  if (written.changed.length > 0) noteRows(session.record, inputs.table, written.existed ? 0 : 1);
  archived?.noteRows(session);
  return written;
}

interface WriteOptions {
  skipSecrets: boolean;
  beforeChange: BeforeChange;
  /** Before what was inserted is read back. */
  onInsert: (client: pg.ClientBase) => Promise<{ isAdopted: boolean } | undefined>;
}

async function writeIn(
  client: pg.ClientBase,
  inputs: RowInputs,
  { skipSecrets, beforeChange, onInsert }: WriteOptions,
): Promise<Written> {
  const columns = inputs.table && (await readColumns(client, inputs.table));
  if (!columns) throw missingTable(inputs);
  const row = bindRow(inputs, columns);
  await lockKey(client, row);
  const before = await readLive(client, row, { lock: true, skipSecrets });
  if (before && before.differing.length === 0)
    return { existed: true, isAdopted: true, changed: [], columns: before.columns };

  const bindings = before
    ? before.differing
    : [...row.key, ...row.values, ...row.secrets, ...row.initialValues, ...row.initialSecrets];
  beforeChange();
  await execute(client, row, before ? updateRow(row, bindings) : insertRow(row.table, bindings));
  const back = before === undefined ? await onInsert(client) : undefined;
  const after = await readLive(client, row);
  if (!after || after.differing.length > 0) {
    const paths = after?.differing.map(({ path }) => path) ?? [...inputs.key.keys()].map((column) => `key.${column}`);
    throw new UserError(
      "PS403",
      `${describeRow(row)}: after the write the database does not hold what was written in ${paths.join(", ")}; nothing was changed. ` +
        "A trigger or the column's type changes the value: give the value as the database keeps it, or, for a secret that is " +
        "stored in another form, an expression in compareWith that gives the plain form",
    );
  }
  const existed = before !== undefined;
  return {
    existed,
    isAdopted: existed || back?.isAdopted === true,
    changed: bindings.map(({ path }) => path),
    columns: after.columns,
  };
}

export const missingTable = ({ tableText }: RowInputs): UserError =>
  new UserError(
    "PS401",
    `table ${tableText} does not exist. Correct the name, or let the row depend on the layer that creates it (dependsOn)`,
  );

/**
 * Two runs that create the same row must not both find it missing; a unique constraint on the key is not
 * required.
 */
async function lockKey(client: pg.ClientBase, row: BoundRow): Promise<void> {
  const hash = createHash("sha256")
    .update(`pgstrata row ${describeRow(row)}`)
    .digest()
    .readBigInt64BE();
  await client.query("SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)", [String(hash)]);
}

async function execute(client: pg.ClientBase, row: BoundRow, { text, values }: Statement): Promise<void> {
  const { rowCount } = await client.query(text, values);
  if (rowCount === 1) return;
  throw new UserError(
    "PS403",
    `${describeRow(row)}: the write touched ${rowCount ?? 0} rows, expected 1. A trigger or a row-level security policy interferes; ` +
      "connect as the table's owner, or change the trigger",
  );
}
