// Which row of many the server refuses, and in which column. A statement about many rows tells only why.
import pg from "pg";
import { UserError } from "../../core/errors.ts";
import { codeOf } from "../../database/connectionError.ts";
import type { SetColumn } from "./layout.ts";
import { castOf } from "./sql.ts";

/**
 * Whether an error is about the values of some row: data exceptions, constraints, and what triggers raise.
 */
function isOfRow(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return /^(22|23|P0001)/.test(code);
}

/** That of a foreign key says nothing of a part of the rows: a row may refer to one that comes later. */
export const isReference = (error: unknown): boolean => codeOf(error) === "23503";

/** Runs `work` in a savepoint; the error, where the server refuses it because of some row. */
export async function refusal(client: pg.ClientBase, work: () => Promise<unknown>): Promise<unknown> {
  await client.query("SAVEPOINT pgstrata_rows");
  try {
    await work();
    await client.query("RELEASE SAVEPOINT pgstrata_rows");
    return undefined;
  } catch (error) {
    if (!isOfRow(error)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT pgstrata_rows; RELEASE SAVEPOINT pgstrata_rows");
    return error;
  }
}

/**
 * The first row that the server refuses, where those before it are kept: takes about as long as all of them
 * did. Undefined where each is taken.
 */
export async function firstRefused(
  client: pg.ClientBase,
  count: number,
  run: (from: number, to: number) => Promise<unknown>,
): Promise<{ n: number; error: unknown } | undefined> {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    const error = await refusal(client, () => run(from, middle));
    if (error === undefined) {
      from = middle;
      if (from === to) to = count; // what was refused before as a whole is taken by halves
    } else if (isReference(error)) return undefined;
    else if (middle - from === 1) return { n: from, error };
    else to = middle;
  }
  return undefined;
}

/** The columns whose types cannot take the texts. */
export async function refusedColumns(
  client: pg.ClientBase,
  columns: readonly SetColumn[],
  texts: readonly (string | null | undefined)[],
): Promise<{ column: SetColumn; error: unknown }[]> {
  const refused: { column: SetColumn; error: unknown }[] = [];
  for (const [n, column] of columns.entries()) {
    const error = await refusal(client, () => client.query(castOf(column), [texts[n] ?? null]));
    if (error !== undefined) refused.push({ column, error });
  }
  return refused;
}

/**
 * A value that its column's type cannot take. The server's words hold the value, so they are kept for those
 * that may be shown.
 */
export function valueError(where: string, { column, error }: { column: SetColumn; error: unknown }): UserError {
  const place = `${where}, column "${column.name}"`;
  const reason =
    column.isSecret || !(error instanceof pg.DatabaseError)
      ? `the secret is no value of type ${column.column.type}`
      : error.message;
  return new UserError("PS406", `${place}: ${reason}. Expected a value of type ${column.column.type}`, {
    cause: error,
  });
}
