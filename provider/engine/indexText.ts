import { quoteIdent } from "./quote.ts";

/** What the server cuts a name to. */
export const LONGEST_NAME_BYTES = 63;

/** A name that is cut between characters. */
export function shortened(name: string, bytes: number): string {
  let kept = name;
  while (Buffer.byteLength(kept) > bytes) kept = [...kept].slice(0, -1).join("");
  return kept;
}

/** A definition as `pg_get_indexdef` prints it, with another name. */
export function withName(sql: string, { name }: { name: string }): string {
  return sql.replace(
    /^(CREATE (?:UNIQUE )?INDEX )(?:"(?:[^"]|"")+"|\S+)/,
    (_found, head: string) => `${head}${plainName(name)}`,
  );
}

/** As the server prints a name: quoted only where it must be. */
const plainName = (name: string): string => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdent(name));
