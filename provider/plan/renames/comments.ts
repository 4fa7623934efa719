/**
 * Which comments in SQL files declare a rename, and which table or column each belongs to. What that means in
 * the catalog is left to `resources/layer/renames.ts`.
 */
import { nameOf, nameParts, type SqlToken, sqlTokens } from "./sqlTokens.ts";

/** The name of a table as it is written; without a schema where none is. */
export interface TableName {
  schema?: string;
  name: string;
}

/** A table or column of a layer that had another name before. */
export interface DeclaredRename {
  table: TableName;
  /** Left out for the table itself. */
  column?: string;
  from: TableName;
  /** Where a person finds it: `sql/shop.sql:12`, `renames["shop.item.title"]`. */
  place: string;
}

/** Comments about renames in one file, and what is wrong with them. */
export interface RenameComments {
  renames: DeclaredRename[];
  /** Each with its place. */
  faults: string[];
}

const COMMENT = /^renamed\s+from\s*:(.*)$/i;

/**
 * What somebody who meant such a comment may have written: `rename from: x`, `renamed form: x`, `renamed: x`,
 * `renamed from x`.
 */
const MISSPELT = /^re-?named?\b(?:[\s_-]*\w{1,6}\s*:|\s*:|[\s_-]+(?:from|form|frm|fom)\b)/i;

/** Words that start something other than a column within `CREATE TABLE (…)`. */
const NO_COLUMN = new Set(["constraint", "primary", "unique", "check", "foreign", "exclude", "like"]);

/** The table or column that a comment belongs to. */
export interface CommentOwner {
  table: TableName;
  /** Left out for the table itself. */
  column?: string;
}

/** Tokens, by position, that belong to one table or column. */
interface Owner extends CommentOwner {
  first: number;
  last: number;
}

/** Comments of a kind, each with what it belongs to. */
export function ownedComments(
  sql: string,
  isMeant: (text: string) => boolean,
): { comment: SqlToken; owner: CommentOwner | undefined }[] {
  const all = sqlTokens(sql);
  const comments = all.filter(({ kind, text }) => kind === "comment" && isMeant(text));
  if (comments.length === 0) return [];
  const code = all.filter(({ kind }) => kind !== "comment");
  const owners = statementsIn(code).flatMap(([first, last]) => ownersIn(code, first, last));
  return comments.map((comment) => ({ comment, owner: ownerOf(comment, code, owners) }));
}

/**
 * Comments `-- renamed from: old_name` above a table's `CREATE TABLE` line or a column's line. Only
 * where they stand is read from the text: what the table and the column are, the catalog tells.
 *
 * @param path of the file, as a person would open it.
 */
export function renameComments(path: string, sql: string): RenameComments {
  const found: RenameComments = { renames: [], faults: [] };
  if (!/re-?name/i.test(sql)) return found;
  for (const { comment, owner } of ownedComments(sql, (text) => COMMENT.test(text) || MISSPELT.test(text))) {
    const place = `${path}:${comment.line}`;
    const from = nameParts(COMMENT.exec(comment.text)?.[1] ?? "");
    const [name, schema, tooMany] = [...(from ?? [])].reverse();
    if (name === undefined || tooMany !== undefined || (owner?.column !== undefined && schema !== undefined)) {
      found.faults.push(
        `${place}: found the comment "${comment.text}", expected "renamed from: " followed by one name and nothing else, quoted as in SQL where necessary, such as \`-- renamed from: old_name\`. ` +
          "(A comment about something else must start with other words.)",
      );
    } else if (owner === undefined) {
      found.faults.push(
        `${place}: found the comment "${comment.text}" where no table or column is, expected it above the line of a CREATE TABLE, of a column in it, or of an ALTER TABLE … ADD COLUMN, or at its end. ` +
          "Only tables and columns are renamed.",
      );
    } else {
      const { table, column } = owner;
      const old: TableName = schema === undefined ? { name } : { schema, name };
      found.renames.push({ table, ...(column === undefined ? {} : { column }), from: old, place });
    }
  }
  return found;
}

/**
 * Behind code of its line, a comment belongs to what that code ends in; on a line of its own, to what comes
 * next.
 */
function ownerOf(comment: SqlToken, code: readonly SqlToken[], owners: readonly Owner[]): Owner | undefined {
  const next = code.findIndex(({ start }) => start > comment.start);
  const following = next === -1 ? code.length : next;
  const before = following - 1;
  const isBehind = code[before] !== undefined && lastLineOf(code[before]) === comment.line;
  if (!isBehind) return owners.find(({ first }) => first === following);
  const ends = code[before]?.text === ";" ? before - 1 : before;
  return (
    owners.find(({ first, last }) => first <= ends && ends <= last) ??
    // A whole statement on one line.
    owners.find(
      (owner) =>
        owner.column === undefined &&
        code[owner.first]?.line === comment.line &&
        statementEnd(code, owner.first) === before,
    )
  );
}

const lastLineOf = ({ line, text }: SqlToken): number => line + text.split("\n").length - 1;

function statementEnd(code: readonly SqlToken[], from: number): number {
  const end = code.findIndex(({ kind, text }, n) => n >= from && kind === "symbol" && text === ";");
  return end === -1 ? code.length - 1 : end;
}

/** First and last token of each statement, without its semicolon. */
function statementsIn(code: readonly SqlToken[]): [number, number][] {
  const found: [number, number][] = [];
  for (let first = 0; first < code.length; ) {
    const end = statementEnd(code, first);
    const closed = code[end]?.kind === "symbol" && code[end]?.text === ";";
    found.push([first, closed ? end - 1 : end]);
    first = end + 1;
  }
  return found;
}

function ownersIn(code: readonly SqlToken[], first: number, last: number): Owner[] {
  const reader = new Reader(code, first, last);
  if (reader.word("create")) {
    while (reader.word("global", "local", "temporary", "temp", "unlogged"));
    if (!reader.word("table")) return [];
    if (reader.word("if")) reader.at += 2;
    const table = reader.tableName();
    if (table === undefined) return [];
    while (reader.at <= last && !reader.symbol("(")) reader.at += 1;
    const header: Owner = { first, last: Math.min(reader.at - 1, last), table };
    return [header, ...parts(code, reader.at, last).flatMap((part) => columnOf(code, part, table))];
  }
  if (!reader.word("alter") || !reader.word("table")) return [];
  if (reader.word("if")) reader.at += 1;
  reader.word("only");
  const table = reader.tableName();
  if (table === undefined) return [];
  return parts(code, reader.at, last).flatMap((part, n) => {
    const action = new Reader(code, part.first, part.last);
    if (!action.word("add")) return [];
    action.word("column");
    if (action.word("if")) action.at += 2;
    const [column] = columnOf(code, { first: action.at, last: part.last }, table);
    return column === undefined ? [] : [{ ...column, first: n === 0 ? first : part.first }];
  });
}

function columnOf(code: readonly SqlToken[], { first, last }: Span, table: TableName): Owner[] {
  const token = code[first];
  const column = token === undefined || first > last ? undefined : nameOf(token);
  if (column === undefined || (token?.kind === "word" && NO_COLUMN.has(column))) return [];
  return [{ first, last, table, column }];
}

interface Span {
  first: number;
  last: number;
}

/**
 * What commas divide, each with the comma behind it, up to the end or a parenthesis that was opened before.
 */
function parts(code: readonly SqlToken[], from: number, last: number): Span[] {
  const found: Span[] = [];
  let depth = 0;
  let first = from;
  for (let n = from; n <= last; n++) {
    const token = code[n];
    if (token?.kind !== "symbol") continue;
    if (token.text === "(" || token.text === "[") depth += 1;
    else if (token.text === ")" || token.text === "]") depth -= 1;
    if (depth < 0) return [...found, { first, last: n - 1 }];
    if (depth > 0 || token.text !== ",") continue;
    found.push({ first, last: n });
    first = n + 1;
  }
  return first <= last ? [...found, { first, last }] : found;
}

/** Goes through the tokens of one statement. */
class Reader {
  readonly code: readonly SqlToken[];
  at: number;
  private readonly last: number;

  constructor(code: readonly SqlToken[], at: number, last: number) {
    this.code = code;
    this.at = at;
    this.last = last;
  }

  /** Goes on if one of these words is next. */
  word(...words: string[]): boolean {
    const token = this.next();
    const isOne = token?.kind === "word" && words.includes(token.text.toLowerCase());
    if (isOne) this.at += 1;
    return isOne;
  }

  symbol(text: string): boolean {
    const token = this.next();
    const isOne = token?.kind === "symbol" && token.text === text;
    if (isOne) this.at += 1;
    return isOne;
  }

  tableName(): TableName | undefined {
    const first = this.name();
    if (first === undefined || !this.symbol(".")) return first === undefined ? undefined : { name: first };
    const second = this.name();
    return second === undefined ? undefined : { schema: first, name: second };
  }

  private name(): string | undefined {
    const token = this.next();
    const name = token === undefined ? undefined : nameOf(token);
    if (name !== undefined) this.at += 1;
    return name;
  }

  private next(): SqlToken | undefined {
    return this.at <= this.last ? this.code[this.at] : undefined;
  }
}
