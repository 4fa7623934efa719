/**
 * With which settings the server prints definitions, so that the same ones read alike everywhere. How files
 * are read is left to `shadow/loadSql.ts`.
 */
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";

/**
 * Settings that decide in which form the server prints constants and names. A database or a role may have
 * others, and the same definition would be another text there. As `pg_dump` does, all catalogs are read with
 * these.
 */
const SETTINGS = {
  search_path: PINNED_SEARCH_PATH,
  TimeZone: "UTC",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  extra_float_digits: "1",
  bytea_output: "hex",
  lc_monetary: "C",
  quote_all_identifiers: "off",
  standard_conforming_strings: "on",
} as const;

/** Sets them until the end of the transaction. */
export const PRINT_ALIKE = `select ${Object.entries(SETTINGS)
  .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`)
  .join(", ")}`;
