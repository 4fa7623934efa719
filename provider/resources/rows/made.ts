// Which rows a resource has made: the state keeps their keys, packed, so that a destroy deletes those and
// leaves what was there before, without the file that the set came from.
import { createGzip, gunzipSync } from "node:zlib";
import type pg from "pg";
import { UserError } from "../../core/errors.ts";
import type { Value } from "../../core/resourceType.ts";
import type { Column } from "../row/columns.ts";
import type { TableName } from "../row/identity.ts";
import type { SetColumn } from "./layout.ts";
import { createMade, declareMade, FETCH_MADE, fillMade } from "./sql.ts";

/** The first part of packed keys tells their form. */
const FORM = "1:";
const CHUNK = 5000;

export interface MadeKeys {
  columns: string[];
  /** The values of the columns, as the database prints them. */
  keys: string[][];
}

export type KeyColumns = Pick<SetColumn, "name" | "column">[];

/** @throws {UserError} when the state holds none, or those of a newer form. */
export function unpackMade(value: Value | undefined): MadeKeys {
  if (value === undefined || value === null || value === "") return { columns: [], keys: [] };
  if (typeof value !== "string" || !value.startsWith(FORM)) {
    throw new UserError(
      "PS603",
      "The state of this set of rows does not tell which of them it made in a way that this version of pgstrata can read. Was it " +
        "written by a newer one? Use that version, or remove the set from the state (`pulumi state delete`) and let `pulumi up` adopt the rows.",
    );
  }
  const text = gunzipSync(Buffer.from(value.slice(FORM.length), "base64")).toString("utf8");
  const [columns = [], ...keys]: string[][] = text.split("\n").map((line) => JSON.parse(line));
  return { columns, keys };
}

/** Keys of no row, as those of a set that was imported. */
export const NONE_MADE = "";

/**
 * Gives the database the keys that a state knows; undefined where it knows none, or the table lacks a column.
 */
export async function stageMade(
  client: pg.ClientBase,
  columns: ReadonlyMap<string, Column>,
  made: MadeKeys,
): Promise<KeyColumns | undefined> {
  const key = keyOf(columns, made.columns);
  if (key === undefined || made.keys.length === 0) return undefined;
  await client.query(createMade(key));
  const fill = fillMade(key);
  for (let from = 0; from < made.keys.length; from += CHUNK) {
    const part = made.keys.slice(from, from + CHUNK);
    await client.query(
      fill,
      key.map((_column, n) => part.map((values) => values[n] ?? null)),
    );
  }
  return key;
}

/** The columns of a key; undefined where the table lacks one. */
export function keyOf(columns: ReadonlyMap<string, Column>, names: readonly string[]): KeyColumns | undefined {
  const found = names.flatMap((name) => {
    const column = columns.get(name);
    return column === undefined ? [] : [{ name, column }];
  });
  return found.length === names.length ? found : undefined;
}

/**
 * The keys of all rows that were made, as a state keeps them. One part of them at a time is in memory
 * unpacked.
 */
export async function packMade(
  client: pg.ClientBase,
  table: TableName,
  key: KeyColumns,
  earlier: KeyColumns | undefined,
): Promise<string> {
  await client.query(declareMade(table, key, earlier));
  const gzip = createGzip();
  const parts: Buffer[] = [];
  gzip.on("data", (part: Buffer) => void parts.push(part));
  const done = new Promise<void>((resolve, reject) => void gzip.on("end", resolve).on("error", reject));
  gzip.write(JSON.stringify(key.map(({ name }) => name)));
  for (;;) {
    const { rows } = await client.query<{ key: string[] }>(FETCH_MADE);
    if (rows.length === 0) break;
    gzip.write(rows.map((row) => `\n${JSON.stringify(row.key)}`).join(""));
  }
  gzip.end();
  await done;
  return FORM + Buffer.concat(parts).toString("base64");
}
