// For what an update of a set would be refused, asked in a preview, in its transaction that is undone. What
// layers or other resources of the same preview have planned to change is left to the update.
import pg from "pg";
import { UserError } from "../../core/errors.ts";
import type { Planned } from "../planned.ts";
import type { Column } from "../row/columns.ts";
import { foreignKeysOf } from "../row/dependents.ts";
import type { TableName } from "../row/identity.ts";
import { type Changes, keyText, NAMED } from "./compare.ts";
import { firstRefused, refusal } from "./failingRow.ts";
import type { RowsInputs } from "./inputs.ts";
import { requireColumns, type SetColumn, type SetLayout } from "./layout.ts";
import { keyOf } from "./made.ts";
import { missingParents, refusedRow } from "./rowsError.ts";
import type { RowSource } from "./source.ts";
import {
  type AlteredRow,
  createTrial,
  findAltered,
  findCollision,
  HAVE_TRIGGERS,
  TRIAL_SHAPE,
  type Trial,
  type TrialShape,
  trialOfAdded,
  trialOfChanged,
  tryAdded,
  tryChanged,
} from "./trialSql.ts";
import { missingTable, requireFree, requireUniqueKey, WRITTEN_OTHERWISE } from "./write.ts";

/** Tables for rows on trial, made while the transaction may still create something. */
export interface Trials {
  shape: TrialShape;
  added: Trial;
  changed: Trial;
}

/** @throws {UserError} for a table that neither the database has nor a layer makes, or that one drops. */
export function requireTable(inputs: RowsInputs, table: TableName, isThere: boolean, planned: Planned): void {
  if (isThere ? planned.drops(table) : !planned.makes(table)) throw missingTable(inputs);
}

/** @throws {UserError} for columns that neither the table has nor a layer adds. */
export function requirePlannedColumns(
  inputs: RowsInputs,
  columns: ReadonlyMap<string, Column>,
  names: readonly string[],
  planned: Planned,
): void {
  requireColumns({ absent: names.filter((name) => !columns.has(name) && !planned.addsColumn(name)) }, inputs, columns);
}

/** What can be tried of a table; undefined of a view, or without the right to make temporary tables. */
export async function readTrialShape(
  client: pg.ClientBase,
  { schema, name }: TableName,
): Promise<TrialShape | undefined> {
  const { rows } = await client.query<TrialShape>(TRIAL_SHAPE, [schema, name]);
  return rows.find(({ kind, hasRules, isPossible }) => (kind === "r" || kind === "p") && !hasRules && isPossible);
}

export async function createTrials(client: pg.ClientBase, shape: TrialShape, layout: SetLayout): Promise<Trials> {
  const trials = { shape, added: trialOfAdded(shape, layout), changed: trialOfChanged(shape) };
  await client.query(`${createTrial(trials.added, shape)}; ${createTrial(trials.changed, shape)}`);
  return trials;
}

/** A set that was compared, and what is known besides. */
export interface Compared {
  inputs: RowsInputs;
  source: RowSource;
  columns: ReadonlyMap<string, Column>;
  layout: SetLayout;
  changes: Changes;
  trials: Trials | undefined;
  planned: Planned;
}

/** Asks what an update of a set would be refused for, in the order in which it would be. */
export async function refuseFaults(client: pg.ClientBase, compared: Compared): Promise<void> {
  const { inputs, layout, changes, planned } = compared;
  if (planned.changes(layout.table)) return;
  await requireUniqueKey(client, inputs);
  const isPlanned = (table: TableName): boolean => planned.changes(table) || planned.writes(table);
  if (changes.deleted > 0) await requireFree(client, inputs, layout, changes, isPlanned);
  await refuseRows(client, compared);
}

/** Asks what rows would be refused for, whatever stands on their key. */
export async function refuseRows(client: pg.ClientBase, compared: Compared): Promise<void> {
  const { layout, planned, trials } = compared;
  if (trials === undefined || planned.changes(layout.table)) return;
  await tryRows(client, compared, trials);
  await refuseAltered(client, compared, trials);
  if (!planned.writes(layout.table)) await refuseCollisions(client, compared, trials);
  if (!trials.shape.hasTriggers && !(await mayAddAnyRow(client, planned))) await refuseOrphans(client, compared);
}

async function refuseOrphans(client: pg.ClientBase, compared: Compared): Promise<void> {
  const { layout, changes, source, planned } = compared;
  const { schema, name } = layout.table;
  for (const foreignKey of await foreignKeysOf(client, layout.table)) {
    const { target } = foreignKey;
    const isOwn = target.schema === schema && target.name === name;
    if (planned.changes(target) || planned.writes(target) || (isOwn && changes.unknownKeys > 0)) continue;
    const fault = await missingParents(client, layout, source, foreignKey, changes.deleted > 0);
    if (fault !== undefined) throw fault;
  }
}

async function tryRows(
  client: pg.ClientBase,
  { inputs, layout, changes, source }: Compared,
  { changed }: Trials,
): Promise<void> {
  const writes: ((from: number, to: number) => string)[] = [];
  if (changes.changing.length > 0) writes.push((from, to) => tryChanged(layout, changed, changes, { from, to }));
  if (changes.added > 0) writes.push((from, to) => tryAdded(layout, { from, to }));
  for (const write of writes) {
    const run = (from: number, to: number): Promise<unknown> => client.query(write(from, to));
    if ((await refusal(client, () => run(0, changes.count))) === undefined) continue;
    const first = await firstRefused(client, changes.count, run);
    if (first === undefined) continue;
    throw await refusedRow(client, inputs, layout, source, { ...first, error: asOf(layout.table, first.error) });
  }
}

/** What an update would read back as another value. A trigger may still mend it. */
async function refuseAltered(
  client: pg.ClientBase,
  { inputs, layout, changes }: Compared,
  { added, changed }: Trials,
): Promise<void> {
  const isPlain = ({ role, expression }: SetColumn): boolean => role !== "initial" && expression === undefined;
  const altered: AlteredRow[] = [];
  for (const [trial, columns] of [
    [added, layout.columns.filter(isPlain)],
    [changed, changes.changing.filter(isPlain)],
  ] as const) {
    if (!trial.isChecked || columns.length === 0) continue;
    altered.push(...(await client.query<AlteredRow>(findAltered(layout, trial, columns, NAMED))).rows);
  }
  if (altered.length === 0) return;
  const rows = altered.map(({ key, columns }) => `${keyText(layout, key)}: ${columns.join(", ")}`);
  throw new UserError(
    "PS403",
    `${inputs.tableText}: after the write the database would not hold what is given (${rows.join("; ")}); ${WRITTEN_OTHERWISE}`,
  );
}

/** What a unique index would refuse, whose rows are in two trial tables and in the table itself. */
async function refuseCollisions(
  client: pg.ClientBase,
  { inputs, columns, layout, changes, source }: Compared,
  { shape, added, changed }: Trials,
): Promise<void> {
  if (!added.isChecked || !changed.isChecked) return;
  const { schema, name: table } = layout.table;
  for (const { name, columns: names } of shape.uniques) {
    const unique = keyOf(columns, names);
    const isOnTrial = names.every((column) => added.columns.some((other) => other.name === column));
    if (unique === undefined || !isOnTrial) continue;
    const { rows } = await client.query<{ n: number }>(
      findCollision(layout, [added, changed], unique, changes.deleted > 0),
    );
    const [found] = rows;
    if (found === undefined) continue;
    const error = new pg.DatabaseError("a unique index has the values already", 0, "error");
    Object.assign(error, { code: "23505", schema, table, constraint: name });
    throw await refusedRow(client, inputs, layout, source, { n: found.n, error });
  }
}

/** The server names the temporary table; who reads it knows the other. */
function asOf({ schema, name }: TableName, error: unknown): unknown {
  return error instanceof pg.DatabaseError && error.table !== undefined
    ? Object.assign(error, { schema, table: name })
    : error;
}

/** A trigger of a table that gets rows in the same preview may add rows to any other. */
async function mayAddAnyRow(client: pg.ClientBase, planned: Planned): Promise<boolean> {
  const tables = planned.tablesWritten();
  if (tables.length === 0) return false;
  const { rows } = await client.query<{ found: boolean }>(HAVE_TRIGGERS, [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
  return rows[0]?.found === true;
}
