import type { Draw } from "./draw.ts";

/** What a server cuts identifiers to. */
const LONGEST_NAME_BYTES = 63;

/** Names that are easy to get wrong: when quoted, split, cut, read back, or found within SQL. */
export const ODD_NAMES: readonly string[] = [
  "select",
  "user",
  "primary key",
  "null",
  "default",
  "public",
  "PUBLIC",
  "CamelCase",
  "with space",
  " lead",
  "trail ",
  "dot.ted",
  "a.b.c",
  'quo"te',
  '"',
  '"quoted"',
  "it's",
  "'",
  '"; drop table x; --',
  "'); drop schema public cascade; --",
  "back\\slash",
  "\\",
  "100%",
  "%I %s %L",
  "$1",
  "$$",
  "$body$",
  "$function$",
  "new\nline",
  "car\r\nriage",
  "tab\tbed",
  "semi;colon",
  "--",
  "/* comment */",
  "*/",
  "par(en)",
  "(",
  "br[ack]et",
  "{a,b}",
  "com,ma",
  "col:on",
  "a::text",
  "|pipe",
  "->",
  "@#?!",
  "0digit",
  "_",
  "x NOT NULL",
  "x DEFAULT 1",
  " TYPE ",
  "GRANT a TO PUBLIC",
  "USING INDEX",
  "NOT VALID",
  "__proto__",
  "constructor",
  "Ünïcödé",
  "e\u0301 combining",
  "\u00e9",
  "e\u0301",
  "名前",
  "שלום עולם",
  "\u202egnp",
  "zero\u200bwidth",
  "no\u00a0break",
  "🙂",
  "👩‍👩‍👧",
  "a".repeat(63),
  `${"a".repeat(62)}b`,
  `x${"é".repeat(31)}`,
  `${"🙂".repeat(15)}abc`,
  `"${"a".repeat(62)}`,
  `pgstrata_not_null_${"a".repeat(45)}`,
  `${"a".repeat(49)}__pgstrata_new`,
  "pgstrata_not_null_t1",
  "t1__pgstrata_new",
];

/** A plain name, or in a third of the cases an odd one. */
export function drawName(draw: Draw): string {
  const plain = `t${draw.below(12)}`;
  return draw.chance(33) ? (draw.pick(ODD_NAMES) ?? plain) : plain;
}

/** The name, with a number where it is taken already, and not longer than a server keeps. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${cut(name, LONGEST_NAME_BYTES - String(n).length)}${n}`;
  return free;
}

function cut(name: string, bytes: number): string {
  const letters = [...name];
  while (Buffer.byteLength(letters.join("")) > bytes) letters.pop();
  return letters.join("");
}
