// What would have to be done so that the table is as the set says. Nothing is changed.
import type pg from "pg";
import { UserError } from "../../core/errors.ts";
import { isMissingObject, isUnreadableSecret } from "../row/read.ts";
import type { RowsInputs } from "./inputs.ts";
import type { SetColumn, SetLayout } from "./layout.ts";
import { countSurplus, duplicatesInTable, type FirstRow, firstRows, firstSurplus, type Tally, tally } from "./sql.ts";
import type { StagedSet } from "./stage.ts";

/** As many rows of each kind are named. */
export const NAMED = 10;
/** A longer value of a key is cut where it is shown. */
const LONGEST_VALUE = 60;

export interface NamedRow {
  /** Such as `code=IT`. */
  key: string;
  /** Columns that differ, or are not known yet. */
  columns: string[];
}

export interface Changes {
  /** Rows of the set. */
  count: number;
  added: number;
  changed: number;
  deleted: number;
  /** Rows of the set whose key is not known yet. */
  unknownKeys: number;
  /** Held columns that differ in some row. */
  changing: SetColumn[];
  /** The secrets could not be compared, so they are taken as differing. */
  isSkipped: (column: SetColumn) => boolean;
  first: { added: NamedRow[]; changed: NamedRow[]; deleted: NamedRow[] };
}

export const isNothing = ({ added, changed, deleted, unknownKeys }: Changes): boolean =>
  added + changed + deleted + unknownKeys === 0;

/** Where nothing of the set can be in the database yet. */
export function allNew(count: number): Changes {
  const first = { added: [], changed: [], deleted: [] };
  return { count, added: count, changed: 0, deleted: 0, unknownKeys: 0, changing: [], isSkipped: () => false, first };
}

/**
 * Within a transaction.
 *
 * @param isPlan whether a layer may still be about to create what an expression of `compareWith` names.
 * @throws {UserError} where a key finds more than one row.
 */
export async function compareSet(
  client: pg.ClientBase,
  inputs: RowsInputs,
  { layout, count, unknownKeys }: StagedSet,
  { isPlan }: { isPlan: boolean },
): Promise<Changes> {
  if (layout === undefined) return allNew(count);
  const { found, isSkipped } = await tallyOf(client, layout, isPlan);
  const staged = count - unknownKeys;
  if (found.total > staged) throw await moreThanOne(client, layout, inputs);
  // A key that is not known yet may be that of any row.
  const deleted = inputs.exclusive && unknownKeys === 0 ? await numberOf(client, countSurplus(layout)) : 0;
  const named = async (number: number, sql: string, columnsOf: (row: FirstRow) => string[]): Promise<NamedRow[]> => {
    const { rows } = number === 0 ? { rows: [] } : await client.query<FirstRow>(sql);
    return rows.map((row) => ({ key: keyText(layout, row.key), columns: columnsOf(row) }));
  };
  const differing = ({ m, open }: FirstRow): string[] => [
    ...layout.held.filter((_held, n) => m?.[n] === false).map(({ name }) => name),
    ...(open ? layout.absent : []),
  ];
  return {
    count,
    added: found.added,
    changed: found.changed,
    deleted,
    unknownKeys,
    changing: layout.held.filter((_held, n) => (found.differing[n] ?? 0) > 0),
    isSkipped,
    first: {
      added: await named(found.added, firstRows(layout, "added", NAMED, isSkipped), () => []),
      changed: await named(found.changed, firstRows(layout, "changed", NAMED, isSkipped), differing),
      deleted: await named(deleted, firstSurplus(layout, NAMED), () => []),
    },
  };
}

/** A secret that cannot be turned into its plain form does not match, and writing it again mends it. */
async function tallyOf(
  client: pg.ClientBase,
  layout: SetLayout,
  isPlan: boolean,
): Promise<{ found: Tally; isSkipped: Changes["isSkipped"] }> {
  const ask = async (isSkipped: Changes["isSkipped"]) => {
    const { rows } = await client.query<Tally>(tally(layout, isSkipped));
    return { found: rows[0] ?? { total: 0, added: 0, changed: 0, differing: [] }, isSkipped };
  };
  if (layout.held.every(({ expression }) => expression === undefined)) return ask(() => false);
  await client.query("SAVEPOINT pgstrata_secrets");
  try {
    return await ask(() => false);
  } catch (error) {
    if (!isUnreadableSecret(error) && !(isPlan && isMissingObject(error))) throw error;
    await client.query("ROLLBACK TO SAVEPOINT pgstrata_secrets");
    return ask(({ isSecret }) => isSecret);
  }
}

async function moreThanOne(client: pg.ClientBase, layout: SetLayout, { tableText }: RowsInputs): Promise<UserError> {
  const { rows } = await client.query<{ key: string[] }>(duplicatesInTable(layout));
  const keys = rows.map(({ key }) => keyText(layout, key)).join("; ");
  return new UserError(
    "PS402",
    `${tableText} has more than one row for ${keys}. Expected a key that identifies one row; add columns to key, or remove the duplicates`,
  );
}

export async function numberOf(client: pg.ClientBase, sql: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(sql);
  return rows[0]?.count ?? 0;
}

/** `code=IT`, for messages. */
export function keyText({ key }: Pick<SetLayout, "key">, values: readonly string[]): string {
  const short = (text: string): string => (text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text);
  return key.map(({ name }, n) => `${name}=${short(values[n] ?? "null")}`).join(" ");
}
