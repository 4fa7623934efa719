import type { Prints } from "./prints.ts";

/**
 * What a server is known to write otherwise when it reads its own print; each makes prints alike that differ
 * by it alone.
 */
const KNOWN: readonly { name: string; alike: (print: string) => string }[] = [
  { name: "layout", alike: (print) => print.replace(/\s+/g, "") },
  { name: "brackets of AND and OR", alike: (print) => print.replace(/[()]/g, "") },
  { name: "name of a column that has none", alike: (print) => print.replace(/ AS (?:"(?:[^"]|"")*"|\w+)/g, "") },
  { name: "cast of an array", alike: castsOfItems },
];

/** `(ARRAY[a, b])::t[]` as `ARRAY[(a)::t, (b)::t]`. */
function castsOfItems(print: string): string {
  let text = print;
  for (let from = 0; ; ) {
    const start = text.indexOf("(ARRAY[", from);
    if (start === -1) return text;
    from = start + 1;
    const end = closing(text, start + "(ARRAY".length);
    const cast = /^\)::((?:"(?:[^"]|"")*"|[\w. ]|\(\d+(?:,\d+)?\))+)\[\]/.exec(text.slice(end + 1));
    if (cast === null) continue;
    const items = split(text.slice(start + "(ARRAY[".length, end)).map((item) => `(${item})::${cast[1]}`);
    text = `${text.slice(0, start)}ARRAY[${items.join(", ")}]${text.slice(end + 1 + cast[0].length)}`;
    from = start;
  }
}

/** Where the bracket that opens at a place is closed. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const char = text[at];
    if (char === "'" || char === '"') at = text.indexOf(char, at + 1);
    if (at === -1) return text.length;
    if (char === "[" || char === "(") depth += 1;
    if (char === "]" || char === ")") depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

/** At the commas that stand in no bracket. */
function split(list: string): string[] {
  const items: string[] = [];
  let start = 0;
  for (let at = 0; at < list.length; at++) {
    const char = list[at];
    if (char === "'" || char === '"') at = list.indexOf(char, at + 1);
    else if (char === "[" || char === "(") at = closing(list, at);
    else if (char === ",") {
      items.push(list.slice(start, at).trim());
      start = at + 1;
    }
    if (at === -1) break;
  }
  return [...items, list.slice(start).trim()];
}

/** Words of a print. */
const tokens = (print: string): string[] => print.match(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|\s+|[^\w\s]/g) ?? [];

/** Where two prints differ: what is alike at both ends is left out. */
export function difference(before: string, after: string): { before: string; after: string } {
  const [one, two] = [tokens(before), tokens(after)];
  let start = 0;
  while (start < one.length && start < two.length && one[start] === two[start]) start += 1;
  let end = 0;
  while (end < one.length - start && end < two.length - start && one.at(-1 - end) === two.at(-1 - end)) end += 1;
  return { before: one.slice(start, one.length - end).join(""), after: two.slice(start, two.length - end).join("") };
}

const masked = (text: string): string =>
  text
    .replace(/'(?:[^']|'')*'/g, "'…'")
    .replace(/"(?:[^"]|"")*"|\b(?:q|c|x|t|k|r|d)\d*\b/g, "n")
    .replace(/\d+/g, "0")
    .replace(/\s+/g, " ")
    .slice(0, 150);

/** Alike for prints that differ for one cause, as far as that can be told. */
export function familyOf({ prints, fault }: Prints): string {
  const [first = "", second = first] = prints;
  if (fault !== null && first === second) return `no object can be made from the print: ${masked(fault)}`;
  for (let some = 1; some < 1 << KNOWN.length; some++) {
    const used = KNOWN.filter((_, n) => (some & (1 << n)) !== 0);
    // Casts of items are found by their brackets, so these go last.
    const alike = (print: string): string => [...used].reverse().reduce((text, step) => step.alike(text), print);
    if (alike(first) === alike(second)) return used.map(({ name }) => name).join(" + ");
  }
  const whole = (print: string): string =>
    KNOWN.toReversed().reduce((text, step) => (step.name === "layout" ? text : step.alike(text)), print);
  const { before, after } = difference(whole(first), whole(second));
  return `${masked(before)} → ${masked(after)}`;
}
