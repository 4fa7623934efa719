// What to throw where the server refuses a row of a set, or anything else that is done for it. A secret's
// value never shows, nor what the server says of a row that has one.
import pg from "pg";
import { UserError } from "../../core/errors.ts";
import { describeDatabaseError } from "../../database/databaseError.ts";
import { SQLSTATES } from "../../database/sqlstate.ts";
import { foreignKeyOf } from "../row/dependents.ts";
import { explainCheck } from "../row/rowError.ts";
import { keyText } from "./compare.ts";
import type { RowsInputs } from "./inputs.ts";
import type { SetLayout } from "./layout.ts";
import type { RowSource } from "./source.ts";
import { rowOfSet, withoutReferenced } from "./sql.ts";

/** A longer value is cut where it is shown. */
const LONGEST_VALUE = 60;

/** The first row that the server refuses to write. */
export async function refusedRow(
  client: pg.ClientBase,
  inputs: RowsInputs,
  layout: SetLayout,
  source: RowSource,
  { n, error }: { n: number; error: unknown },
): Promise<unknown> {
  const { rows } = await client.query<{ place: number; key: string[]; texts: (string | null)[] }>(rowOfSet(layout), [
    n,
  ]);
  const [row] = rows;
  if (row === undefined) return error;
  const shownValue = (name: string): string => {
    const at = layout.columns.findIndex((column) => column.name === name);
    if (at < 0) return "(not given)";
    if (layout.columns[at]?.isSecret) return "(secret)";
    const text = row.texts[at] ?? null;
    return `= ${text === null ? "null" : JSON.stringify(text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text)}`;
  };
  const check = error instanceof pg.DatabaseError ? await explainCheck(error, client, shownValue) : undefined;
  const described = reasonOf(error, inputs);
  const place = `${source.describe(row.place)}, ${inputs.tableText} ${keyText(layout, row.key)}`;
  return described && new UserError(described.code, `${place}: ${check ?? described.message}`, { cause: error });
}

/** Rows that refer to one which is not there. */
export async function withoutParents(
  client: pg.ClientBase,
  layout: SetLayout,
  source: RowSource,
  error: unknown,
): Promise<unknown> {
  const { schema, name } = layout.table;
  if (!(error instanceof pg.DatabaseError) || error.table !== name || error.schema !== schema) return error;
  const foreignKey = await foreignKeyOf(client, layout.table, error.constraint);
  if (foreignKey === undefined) return error;
  const { target, constraint } = foreignKey;
  const isOwn = target.schema === schema && target.name === name;
  const { rows } = await client.query<{ place: number }>(withoutReferenced(layout, foreignKey, isOwn));
  if (rows.length === 0) return error;
  const places = rows.map(({ place }) => source.describe(place)).join("; ");
  return new UserError(
    "PS404",
    `${schema}.${name}: foreign key "${constraint}" is violated: the row of ${target.schema}.${target.name} that these refer to does not exist: ${places}. ` +
      "Create it first (dependsOn), or correct the rows",
    { cause: error },
  );
}

/** Anything that is not the database's comes back as it is. */
export function describeRowsError(error: unknown, inputs: RowsInputs): unknown {
  if (error instanceof UserError) return error;
  const described = reasonOf(error, inputs);
  return described === undefined
    ? error
    : new UserError(described.code, `${inputs.tableText}: ${described.message}`, { cause: error });
}

/** Only what a SQLSTATE is known to say is without values. */
function reasonOf(error: unknown, { secretColumns }: RowsInputs): UserError | undefined {
  const described = describeDatabaseError(error);
  if (!(error instanceof pg.DatabaseError) || described === undefined) return described;
  if (secretColumns.length === 0 || SQLSTATES[error.code ?? ""] !== undefined) return described;
  return new UserError(
    described.code,
    `the database refuses it (SQLSTATE ${error.code ?? "unknown"}); what it says may hold a secret of the set and is not shown`,
    { cause: error },
  );
}
