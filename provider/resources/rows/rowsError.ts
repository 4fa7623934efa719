// What to throw where the server refuses a row of a set, or anything else that is done for it. A secret's
// value never shows, nor what the server says of a row that has one.
import pg from "pg";
import { UserError } from "../../core/errors.ts";
import { describeDatabaseError } from "../../database/databaseError.ts";
import { SQLSTATES } from "../../database/sqlstate.ts";
import { type ForeignKey, foreignKeysOf } from "../row/dependents.ts";
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

/** Rows that refer to one which is not there; the error itself where it is another one's. */
export async function withoutParents(
  client: pg.ClientBase,
  layout: SetLayout,
  source: RowSource,
  error: unknown,
  isDeleting: boolean,
): Promise<unknown> {
  const { schema, name } = layout.table;
  if (!(error instanceof pg.DatabaseError) || error.table !== name || error.schema !== schema) return error;
  const keys = await foreignKeysOf(client, layout.table);
  const foreignKey = keys.find(({ constraint }) => constraint === error.constraint);
  return (foreignKey && (await missingParents(client, layout, source, foreignKey, isDeleting, error))) ?? error;
}

/** What to throw for rows that would refer by a foreign key to one which is not there. */
export async function missingParents(
  client: pg.ClientBase,
  layout: SetLayout,
  source: RowSource,
  foreignKey: ForeignKey,
  isDeleting: boolean,
  cause?: unknown,
): Promise<UserError | undefined> {
  const { schema, name } = layout.table;
  const { target, constraint } = foreignKey;
  const { rows } = await client.query<{ place: number; count: number }>(
    withoutReferenced(layout, foreignKey, isDeleting),
  );
  const [first] = rows;
  if (first === undefined) return undefined;
  const more = first.count - rows.length;
  const places = [
    ...rows.map(({ place }) => source.describe(place)),
    ...(more > 0 ? [`… ${more.toLocaleString("en-US")} more`] : []),
  ];
  return new UserError(
    "PS404",
    `${schema}.${name}: foreign key "${constraint}" is violated: the row of ${target.schema}.${target.name} that these refer to does not exist: ${places.join("; ")}. ` +
      "Create it first (dependsOn), or correct the rows",
    { cause },
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
    `the database refuses it (SQLSTATE ${error.code ?? "unknown"}); what it says may hold a secret and is not shown`,
    { cause: error },
  );
}
