/** How a printed index definition gets another name, and how names are shortened to what the server keeps. */
import { createHash } from "node:crypto";
import { quoteIdent } from "../catalog/quote.ts";

/** What the server cuts a name to. */
export const LONGEST_NAME_BYTES = 63;

/** A name that is cut ends in a digest of the whole, so that names with one beginning stay apart. */
export function shortened(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  const letters = [...name];
  while (Buffer.byteLength(letters.join("")) > bytes - digest.length - 1) letters.pop();
  return `${letters.join("")}_${digest}`;
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
