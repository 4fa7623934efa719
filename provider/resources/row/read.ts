/** How a row compares with its inputs; secrets are compared in the database and never read out. */
import pg from "pg";
import { UserError } from "../../core/errors.ts";
import type { Properties, Value } from "../../core/resourceType.ts";
import { codeOf } from "../../database/connectionError.ts";
import { calledFrom } from "../../database/sqlstate.ts";
import type { Binding, BoundRow } from "./boundRow.ts";
import { selectRow } from "./sql.ts";

/** The row as it is in the database. Secrets are compared there and never read out. */
export interface LiveRow {
  /** What does not match, among the values and secrets that were asked for. */
  differing: Binding[];
  columns: Properties;
  /** Why some of what does not match is accepted. */
  notes: string[];
}

export interface LiveOptions {
  /** Locks the row until the end of the transaction. */
  lock?: boolean;
  /** Takes the secrets as differing without comparing them, and accepts nothing that differs. */
  skipSecrets?: boolean;
}

/** Undefined when no row has the key. Throws a `UserError` when more than one has. */
export async function readLive(
  client: pg.ClientBase | pg.Pool,
  row: BoundRow,
  options: LiveOptions = {},
): Promise<LiveRow | undefined> {
  const compare = options.skipSecrets
    ? row.values.map(({ accepts: _, ...binding }): Binding => binding)
    : [...row.values, ...row.secrets];
  const { text, values } = selectRow(row, compare, { lock: options.lock ?? false });
  const { rows } = await client.query<{ answers: (string | null)[]; returned: Value[] }>(text, values);
  const [found, second] = rows;
  if (second) {
    throw new UserError(
      "PS402",
      `${describeRow(row)} is more than one row. Expected a key that identifies one row; add columns to key, or remove the duplicates`,
    );
  }
  if (!found) return undefined;
  return {
    differing: [
      ...compare.filter((_binding, index) => found.answers[index] === null),
      ...(options.skipSecrets ? row.secrets : []),
    ],
    columns: Object.fromEntries(row.returning.map(({ column }, index) => [column, found.returned[index] ?? null])),
    notes: [...new Set(found.answers.flatMap((note) => (note === null || note === "" ? [] : [note])))],
  };
}

/**
 * True for errors that mean that a stored secret cannot be turned into its plain form, for example as it was
 * encrypted with another key: then it does not match, and writing it again repairs it.
 */
export function isUnreadableSecret(error: unknown): boolean {
  return /^(39|22)/.test(codeOf(error) ?? "");
}

/**
 * Something that an expression of `compareWith` names does not exist; a layer may still be about to create
 * it. What a function looks for in vain, an update will not find either.
 */
export function isMissingObject(error: unknown): boolean {
  if (error instanceof pg.DatabaseError && calledFrom(error) !== undefined) return false;
  return ["42883", "42P01", "42703", "3F000"].includes(codeOf(error) ?? "");
}

/**
 * `readLive` for a diff or a preview: a secret that cannot be compared, now or before a layer is applied,
 * counts as differing. Not for use within a transaction.
 */
export async function readLiveForPlan(pool: pg.Pool, row: BoundRow): Promise<LiveRow | undefined> {
  try {
    return await readLive(pool, row);
  } catch (error) {
    if (row.secrets.length === 0 || !(isUnreadableSecret(error) || isMissingObject(error))) throw error;
    return readLive(pool, row, { skipSecrets: true });
  }
}

/** `platform.organizations slug=lancio`, for messages. */
export function describeRow(row: Pick<BoundRow, "table" | "key">): string {
  const key = row.key.map(({ column, text }) => `${column}=${text ?? "null"}`).join(" ");
  return `${row.table.schema}.${row.table.name} ${key}`;
}
