/** With which encoding and locale a database is made, so that another one sorts and converts text alike. */
import type { Pool } from "pg";
import { quoteLiteral } from "../catalog/quote.ts";

/** The columns of `pg_database` differ between versions. */
const LOCALE = `
  select pg_catalog.pg_encoding_to_char(d.encoding) as encoding, d.datcollate::pg_catalog.text as collate, d.datctype::pg_catalog.text as ctype,
         d.datlocprovider::pg_catalog.text as provider, coalesce(j ->> 'datlocale', j ->> 'daticulocale') as locale, j ->> 'daticurules' as rules
    from pg_catalog.pg_database d, pg_catalog.to_jsonb(d) as j where d.datname = $1`;

interface LocaleRow {
  encoding: string;
  collate: string;
  ctype: string;
  provider: string;
  locale: string | null;
  rules: string | null;
}

/** Parts of `CREATE DATABASE`. */
export interface DatabaseLocale {
  /** That of a database of its own. */
  same: string;
  /** Those of a server that may lack it; the encoding is the same. */
  others: readonly string[];
}

export async function databaseLocale(pool: Pool, database: string): Promise<DatabaseLocale> {
  const { rows } = await pool.query<LocaleRow>(LOCALE, [database]);
  if (rows[0] === undefined) throw new Error(`the server has no database of that name`);
  const { encoding, collate, ctype, provider, locale, rules } = rows[0];
  const coded = (text: string): string => `encoding ${quoteLiteral(encoding)} ${text}`;
  const libc = `lc_collate ${quoteLiteral(collate)} lc_ctype ${quoteLiteral(ctype)}`;
  const kinds: Readonly<Record<string, string>> = { c: "libc", i: "icu", b: "builtin" };
  const named = locale === null ? "" : ` ${kinds[provider] ?? "icu"}_locale ${quoteLiteral(locale)}`;
  const ruled = rules === null ? "" : ` icu_rules ${quoteLiteral(rules)}`;
  const other = (name: string): string =>
    coded(`locale_provider libc lc_collate ${quoteLiteral(name)} lc_ctype ${quoteLiteral(name)}`);
  return {
    same: coded(`locale_provider ${kinds[provider] ?? "libc"} ${libc}${named}${ruled}`),
    others: [...(encoding === "UTF8" ? [other("C.UTF-8")] : []), other("C")],
  };
}
