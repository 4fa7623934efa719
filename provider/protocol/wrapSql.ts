/** How SQL is broken into lines that the CLI shows in full. */

/** `pulumi preview --diff` cuts a line after 150 bytes. */
const LONGEST_LINE_BYTES = 150;
const INDENT = "  ";

/** What must stay in one piece: quoted text and comments; and a space, at which a line may end. */
const PIECES = /\$(\w*)\$.*?\$\1\$|\be'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*.*?\*\/| /gis;

/**
 * SQL in lines that the CLI shows whole. A line that is too long is broken at spaces, after a comma where
 * there is one; the lines together mean what the SQL meant. A piece without such a space, such as a long
 * literal, stays too long.
 */
export function sqlLines(sql: string): string[] {
  const breaks = [...sql.matchAll(PIECES)].filter(([piece]) => piece === " ").map(({ index }) => index);
  const lines: string[] = [];
  let start = 0;
  for (const line of sql.split("\n")) {
    const end = start + line.length;
    lines.push(
      ...broken(
        sql,
        start,
        end,
        breaks.filter((place) => place > start && place < end),
      ),
    );
    start = end + 1;
  }
  return lines;
}

function broken(sql: string, from: number, to: number, breaks: readonly number[]): string[] {
  const lines: string[] = [];
  let start = from;
  let indent = "";
  while (byteLength(indent + sql.slice(start, to)) > LONGEST_LINE_BYTES) {
    const left = breaks.filter((place) => place > start);
    const fitting = left.filter((place) => byteLength(indent + sql.slice(start, place)) <= LONGEST_LINE_BYTES);
    const place = fitting.findLast((each) => sql[each - 1] === ",") ?? fitting.at(-1) ?? left[0];
    if (place === undefined) break;
    lines.push(indent + sql.slice(start, place));
    start = place + 1;
    indent = INDENT;
  }
  return [...lines, indent + sql.slice(start, to)];
}

const byteLength = (text: string): number => Buffer.byteLength(text);
