import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestDatabase } from "./database.ts";

const FIXTURE = join(import.meta.dirname, "..", "fixtures", "original");

/** In the order in which the original was built; 004 brings rows. */
const PARTS = ["001.sql", "002.sql", "003.sql", "005.sql", "004.sql"];

/** The original's 25 tables, all of which the fixture gives rows. */
export const ORIGINAL_TABLES = 25;

/** Builds the platform as it was before pgstrata, defects included, with rows in every table. */
export async function buildOriginal({ query }: TestDatabase): Promise<void> {
  for (const part of PARTS) await query(readFileSync(join(FIXTURE, part), "utf8"));
}

/**
 * Every row of the schema `platform` as text, by table, without columns that a table did not have at first.
 */
export async function rowsByTable(
  { query }: TestDatabase,
  columnsOf?: Readonly<Record<string, readonly string[]>>,
): Promise<Record<string, TableRows>> {
  const columns = await query<{ table: string; columns: string[] }>(`
    select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'platform'::regnamespace and c.relkind = 'r' group by 1 order by 1`);
  const found: Record<string, TableRows> = {};
  for (const { table, columns: all } of columns) {
    const names = columnsOf === undefined ? all : columnsOf[table];
    if (names === undefined) continue;
    const list = names.map((name) => `"${name}"`).join(", ");
    const rows = await query<{ row: string }>(`select row(${list})::text as row from platform."${table}" order by 1`);
    found[table] = { columns: [...names], rows: rows.map(({ row }) => row) };
  }
  return found;
}

export interface TableRows {
  columns: string[];
  /** Sorted. */
  rows: string[];
}

/** To ask later for the columns that were there at first. */
export function columnsOf(tables: Readonly<Record<string, TableRows>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(tables).map(([table, { columns }]) => [table, columns]));
}
