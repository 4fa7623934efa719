// Makes the table be as the set says, in one transaction: nothing of it is there when any row is refused.
import { createHash } from "node:crypto";
import type pg from "pg";
import { UserError } from "../../core/errors.ts";
import type { BeforeChange } from "../../guard/guard.ts";
import { type Column, readColumns } from "../row/columns.ts";
import { findDependents, refusalOf } from "../row/dependents.ts";
import type { TableName } from "../row/identity.ts";
import { type Changes, compareSet, isNothing, type NamedRow, numberOf } from "./compare.ts";
import { firstRefused, isReference, refusal } from "./failingRow.ts";
import type { RowsInputs } from "./inputs.ts";
import type { SetLayout } from "./layout.ts";
import { type KeyColumns, keyOf, type MadeKeys, packMade, stageMade } from "./made.ts";
import { refusedRow, withoutParents } from "./rowsError.ts";
import type { RowSource } from "./source.ts";
import { countMade, createNew, isNotInSet, lockSurplus, UNIQUE_KEY, type Writing, writeSet } from "./sql.ts";
import { stageSet } from "./stage.ts";
import { counted } from "./words.ts";

export interface WrittenSet {
  changes: Changes;
  /** Rows of the set that were there before the resource. */
  adopted: number;
  /** Packed keys of the rows that it made. */
  made: string;
  /** Of the file. */
  digest: string | undefined;
}

/**
 * Within a transaction, which is to be undone when it throws.
 *
 * @param earlier what the state knows to be made.
 */
export async function writeRows(
  client: pg.ClientBase,
  inputs: RowsInputs,
  source: RowSource,
  earlier: MadeKeys,
  beforeChange: BeforeChange,
): Promise<WrittenSet> {
  const { table } = inputs;
  const columns = table && (await readColumns(client, table));
  if (!columns) throw missingTable(inputs);
  await lockSet(client, inputs);
  await requireUniqueKey(client, inputs);
  if (inputs.exclusive) await seeAllRows(client);
  const staged = await stageSet(client, inputs, source, columns, { isPlan: false });
  requireRows(inputs, staged.count);
  const changes = await compareSet(client, inputs, staged, { isPlan: false });
  const { layout } = staged;
  await client.query(createNew(requiredKey(columns, inputs)));
  if (!isNothing(changes)) beforeChange();
  if (layout !== undefined && !isNothing(changes)) await write(client, inputs, layout, changes, source);

  const known = await stageMade(client, columns, earlier);
  const made = layout === undefined ? 0 : await numberOf(client, countMade(layout, known));
  return {
    changes,
    adopted: staged.count - made,
    made: await packMade(client, table, requiredKey(columns, inputs), known),
    digest: source.digest(),
  };
}

export const missingTable = ({ tableText }: RowsInputs): UserError =>
  new UserError(
    "PS401",
    `table ${tableText} does not exist. Correct the name, or let the rows depend on the layer that creates it (dependsOn)`,
  );

function requiredKey(columns: ReadonlyMap<string, Column>, { key, tableText }: RowsInputs): KeyColumns {
  const found = keyOf(columns, key);
  if (found !== undefined) return found;
  const absent = key.filter((name) => !columns.has(name)).join(", ");
  throw new UserError(
    "PS401",
    `table ${tableText} has no column for ${absent}. It has ${[...columns.keys()].join(", ")}`,
  );
}

/** An empty file must not empty a table. */
export function requireRows({ exclusive, tableText }: RowsInputs, count: number): void {
  if (!exclusive || count > 0) return;
  throw new UserError(
    "PS413",
    `the set has no rows and is exclusive, so all rows of ${tableText} would be deleted; expected at least one row. ` +
      "Correct the rows or the file, or delete the rows of the table by hand and remove the set from the program",
  );
}

/** A row that a policy hides is not in the set either, and stays: fail rather than not see it. */
export async function seeAllRows(client: pg.ClientBase): Promise<void> {
  await client.query("SET LOCAL row_security = off");
}

/** Two runs that write rows of one table wait for one another. */
async function lockSet(client: pg.ClientBase, { table }: RowsInputs): Promise<void> {
  const hash = createHash("sha256")
    .update(`pgstrata rows ${JSON.stringify([table?.schema, table?.name])}`)
    .digest()
    .readBigInt64BE();
  await client.query("SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)", [String(hash)]);
}

/** Whether nothing keeps others from adding a second row of a key; false of what can have no index. */
async function lacksUniqueKey(client: pg.ClientBase, { table, key }: RowsInputs): Promise<boolean> {
  if (table === undefined) return false;
  const { rows } = await client.query<{ kind: string; isUnique: boolean }>(UNIQUE_KEY, [table.schema, table.name, key]);
  const [found] = rows;
  return found !== undefined && (found.kind === "r" || found.kind === "p") && !found.isUnique;
}

export async function requireUniqueKey(client: pg.ClientBase, inputs: RowsInputs): Promise<void> {
  if (await lacksUniqueKey(client, inputs)) throw new UserError("PS412", withoutUniqueKey(inputs));
}

const withoutUniqueKey = ({ tableText, key }: RowsInputs): string =>
  `no unique constraint or index of ${tableText} holds for its key (${key.join(", ")}), so another session could add a second row of a key. ` +
  "Expected one on these columns, or some of them; add it in the layer, or name other columns in key";

async function write(
  client: pg.ClientBase,
  inputs: RowsInputs,
  layout: SetLayout,
  changes: Changes,
  source: RowSource,
): Promise<void> {
  if (changes.deleted > 0) {
    // Others cannot add rows that refer to those which go, until the end.
    await client.query(lockSurplus(layout));
    await requireFree(client, inputs, layout, changes);
  }
  const writing: Writing = { ...changes, isExclusive: changes.deleted > 0 };
  let written: { deleted: number; changed: number; added: number } | undefined;
  const error = await refusal(client, async () => {
    written = (await client.query(writeSet(layout, writing))).rows[0];
  });
  if (isReference(error)) throw await withoutParents(client, layout, source, error, changes.deleted > 0);
  if (error !== undefined) {
    const run = (from: number, to: number): Promise<unknown> =>
      client.query(writeSet(layout, { ...writing, range: { from, to } }));
    const first = await firstRefused(client, changes.count, run);
    throw first === undefined ? error : await refusedRow(client, inputs, layout, source, first);
  }
  await requireWritten(client, inputs, layout, changes, written);
}

/**
 * @param isLeftOut tables whose rows are not asked.
 * @throws {UserError} while others refer to the rows that are to be deleted.
 */
export async function requireFree(
  client: pg.ClientBase,
  { tableText }: RowsInputs,
  layout: SetLayout,
  { deleted, first }: Changes,
  isLeftOut: (table: TableName) => boolean = () => false,
): Promise<void> {
  const written = new Set([...layout.key, ...layout.held].map(({ name }) => name));
  const dependents = await findDependents(client, {
    table: layout.table,
    condition: (relation) => isNotInSet(layout, relation),
    writes: (names) => names.every((name) => written.has(name)),
    isLeftOut,
  });
  if (dependents.length === 0) return;
  throw new UserError(
    "PS404",
    refusalOf(
      `${counted(deleted)} of ${tableText} not in the set (${keysOf(first.deleted, deleted)}) cannot be deleted, because others refer to them`,
      dependents,
      "Expected none. Delete or move those first; where this program holds them, in an update before this one; or keep the rows in the set, " +
        "or set exclusive to false",
    ),
  );
}

/** What to do about a value that the database does not keep as it is given. */
export const WRITTEN_OTHERWISE =
  "nothing was changed. A trigger, a row-level security policy or the column's type changes or prevents the write: give the value as the " +
  "database keeps it, or, for a secret that is stored in another form, an expression in compareWith that gives the plain form; or change the trigger";

async function requireWritten(
  client: pg.ClientBase,
  inputs: RowsInputs,
  layout: SetLayout,
  planned: Changes,
  written: { deleted: number; changed: number; added: number } | undefined,
): Promise<void> {
  const after = await compareSet(
    client,
    { ...inputs, exclusive: false },
    { layout, count: planned.count, unknownKeys: 0 },
    { isPlan: false },
  );
  if (after.added + after.changed > 0) {
    const rows = [
      ...after.first.changed.map(({ key, columns }) => `${key}: ${columns.join(", ")}`),
      ...after.first.added.map(({ key }) => `${key}: the row is missing`),
    ];
    throw new UserError(
      "PS403",
      `${inputs.tableText}: after the write the database does not hold what was written in ${counted(after.added + after.changed)} (${rows.join("; ")}); ${WRITTEN_OTHERWISE}`,
    );
  }
  const deleted = written?.deleted ?? 0;
  if (deleted === planned.deleted) return;
  throw new UserError(
    "PS403",
    `${inputs.tableText}: the deletion removed ${counted(deleted)}, expected ${planned.deleted}; ${WRITTEN_OTHERWISE}`,
  );
}

/** `code=AD, code=AE, … 118 more`. */
export function keysOf(first: readonly NamedRow[], count: number): string {
  const keys = first.map(({ key }) => key).join(", ");
  return count > first.length ? `${keys}, … ${(count - first.length).toLocaleString("en-US")} more` : keys;
}
