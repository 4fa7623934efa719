/**
 * How names are quoted in SQL that this provider writes. Values are never quoted: they are bind parameters.
 */

/**
 * A Postgres identifier, always quoted: `o"neil` becomes `"o""neil"`. Throws on a NUL, which no identifier
 * can hold.
 */
export function quoteIdent(name: string): string {
  if (name.includes("\0")) throw new Error("an identifier cannot contain a NUL character");
  return `"${name.replaceAll('"', '""')}"`;
}

/** A schema-qualified name, each part quoted. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdent(schema)}.${quoteIdent(name)}`;
}

/** A text constant, where a statement takes no parameter; read with `standard_conforming_strings` on. */
export function quoteLiteral(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
