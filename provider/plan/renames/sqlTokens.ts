/**
 * How SQL text divides into tokens, for comments and statement ends. Nothing here knows a grammar: meaning
 * comes from the catalog.
 */

/**
 * A piece of SQL text. `quoted` is an identifier in quotes; `text` a literal of any form; its `text` is the
 * name, or what was written.
 */
export interface SqlToken {
  kind: "word" | "quoted" | "text" | "comment" | "symbol";
  /** Of a comment: without its marks and the blanks around. Of a quoted identifier: without the quotes. */
  text: string;
  /** Where it starts and ends in the SQL, in UTF-16 units. */
  start: number;
  end: number;
  /** Counted from 1. */
  line: number;
}

const BLANK = /\s+/y;
const LINE_COMMENT = /--([^\r\n]*)/y;
/** What begins a literal in quotes; the second kind has escapes with a backslash. */
const TEXT_START = /(?:[bBxXnN]|[uU]&)?'/y;
const ESCAPED_START = /[eE]'/y;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const WORD = /[A-Za-z0-9_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;

/**
 * Splits SQL into words, literals, comments and single symbols, as the server's lexer does with
 * `standard_conforming_strings` on. It gives no meaning to them. What is not closed reaches to the end; the
 * server will say so.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  let line = 1;
  let newline = sql.indexOf("\n");
  for (let at = 0; at < sql.length; ) {
    const found = tokenAt(sql, at);
    if (found.kind !== "blank") tokens.push({ kind: found.kind, text: found.text, start: at, end: found.end, line });
    for (; newline !== -1 && newline < found.end; newline = sql.indexOf("\n", newline + 1)) line += 1;
    at = found.end;
  }
  return tokens;
}

interface Found {
  kind: SqlToken["kind"] | "blank";
  text: string;
  end: number;
}

function tokenAt(sql: string, at: number): Found {
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(sql);
  };
  const as = (kind: Found["kind"], found: RegExpExecArray, text = found[0]): Found => ({
    kind,
    text,
    end: at + found[0].length,
  });
  const blank = match(BLANK);
  if (blank !== null) return as("blank", blank);
  const comment = match(LINE_COMMENT);
  if (comment !== null) return as("comment", comment, (comment[1] ?? "").trim());
  if (sql.startsWith("/*", at)) {
    const end = endOfBlockComment(sql, at);
    return {
      kind: "comment",
      text: sql
        .slice(at + 2, end)
        .replace(/\*\/$/, "")
        .trim(),
      end,
    };
  }
  const escaped = match(ESCAPED_START);
  const literal = escaped ?? match(TEXT_START);
  if (literal !== null) {
    const end = endOfQuotes(sql, at + literal[0].length, escaped === null ? TEXT_MARK : ESCAPED_MARK);
    if (end !== undefined) return { kind: "text", text: sql.slice(at, end), end };
  }
  if (sql[at] === '"') {
    const end = endOfQuotes(sql, at + 1, NAME_MARK);
    if (end !== undefined) return { kind: "quoted", text: sql.slice(at + 1, end - 1).replaceAll('""', '"'), end };
  }
  const dollar = match(DOLLAR);
  if (dollar !== null) {
    const close = sql.indexOf(dollar[0], at + dollar[0].length);
    const end = close === -1 ? sql.length : close + dollar[0].length;
    return { kind: "text", text: sql.slice(at, end), end };
  }
  const word = match(WORD);
  if (word !== null) return as("word", word);
  const unclosed = sql[at] === "'" || sql[at] === '"';
  return unclosed
    ? { kind: "text", text: sql.slice(at), end: sql.length }
    : { kind: "symbol", text: sql.charAt(at), end: at + 1 };
}

const TEXT_MARK = /''|'/g;
const ESCAPED_MARK = /\\[\s\S]|''|'/g;
const NAME_MARK = /""|"/g;

/**
 * Behind the closing quotation mark; undefined if there is none. One pattern for the whole literal has no
 * room for a text of some megabytes.
 *
 * @param mark finds what may be the end: a single one is.
 */
function endOfQuotes(sql: string, start: number, mark: RegExp): number | undefined {
  mark.lastIndex = start;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql))
    if (found[0].length === 1) return mark.lastIndex;
  return undefined;
}

/** Block comments nest. */
function endOfBlockComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

/**
 * A name as the server understands it: letters of a bare word are made small, those in quotes stay. Undefined
 * for anything else.
 */
export function nameOf({ kind, text }: SqlToken): string | undefined {
  if (kind === "quoted") return text;
  return kind === "word" && !/^[0-9]/.test(text) ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : undefined;
}

/**
 * The parts of a dotted name, such as `platform.projects` or `shop."Line items"`; undefined when the text is
 * something else.
 */
export function nameParts(text: string): string[] | undefined {
  const parts: string[] = [];
  for (const [n, token] of sqlTokens(text).entries()) {
    const part = nameOf(token);
    const isDot = token.kind === "symbol" && token.text === ".";
    if (n % 2 === 1 ? !isDot : part === undefined) return undefined;
    if (part !== undefined) parts.push(part);
  }
  return parts.length > 0 && !text.trimEnd().endsWith(".") ? parts : undefined;
}
