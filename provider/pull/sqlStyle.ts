/**
 * Writes a planned statement as a person would: keywords in lower case, quotes only where a name needs
 * them, one clause a line. It changes no meaning: names and literals stay as they are, and where statements
 * go is not asked.
 */
import { quoteIdent } from "../catalog/quote.ts";
import { sqlTokens } from "../plan/renames/sqlTokens.ts";

const WIDTH = 110;
const INDENT = "  ";

/**
 * SQL whose literals and quoted names are taken out, so that patterns meet keywords, bare names and symbols
 * only.
 */
interface Masked {
  text: string;
  unmask(text: string): string;
}

/**
 * What a CREATE TABLE gets in addition, as SQL: a constraint, the default of a column, or a column of a
 * foreign table and its options, each with `ADD`.
 */
export type TablePart =
  | { clause: string }
  | { column: string; expression: string }
  | { definition: string }
  | { column: string; options: string };

const PARTS = "\ue002";
const DEFINITION = "\ue003";
const OPTIONS = "\ue004";

/** Writes statements for one server. */
export class SqlStyle {
  private readonly keywords: ReadonlySet<string>;

  /**
   * @param keywords words of the server that are no bare names everywhere (`pg_get_keywords()`, catcode not
   * U).
   */
  constructor(keywords: ReadonlySet<string>) {
    this.keywords = keywords;
  }

  /** An identifier, quoted where it has to be. */
  name(identifier: string): string {
    return /^[a-z_][a-z0-9_]*$/.test(identifier) && !this.keywords.has(identifier)
      ? identifier
      : quoteIdent(identifier);
  }

  /**
   * @param sql one statement, without a semicolon.
   * @param parts of a CREATE TABLE.
   */
  statement(sql: string, parts: readonly TablePart[] = []): string {
    const clauses = parts.map((part) => {
      if ("clause" in part) return part.clause;
      if ("definition" in part) return `${DEFINITION} ${part.definition}`;
      return "options" in part
        ? `${OPTIONS} ${part.column} ${part.options}`
        : `${part.column} default ${part.expression}`;
    });
    const { text, unmask } = this.mask([sql.trim().replace(/;$/, ""), ...clauses].join(PARTS));
    const [head = "", ...more] = text.split(PARTS).map(shortened);
    return `${written(head, more, unmask).trimEnd()};`;
  }

  private mask(sql: string): Masked {
    const hidden: string[] = [];
    const marks = new Map<string, string>();
    const hide = (text: string): string => {
      const mark = marks.get(text) ?? `\ue000${hidden.push(text) - 1}\ue001`;
      marks.set(text, mark);
      return mark;
    };
    let text = "";
    let at = 0;
    for (const token of sqlTokens(sql)) {
      const original = sql.slice(token.start, token.end);
      text += sql.slice(at, token.start);
      if (token.kind === "word") text += original.toLowerCase();
      else if (token.kind === "quoted") text += this.bareOrHidden(token.text, hide);
      else text += token.kind === "symbol" ? original : hide(withShortQuotes(original));
      at = token.end;
    }
    return {
      text: text + sql.slice(at),
      unmask: (masked) => masked.replace(/\ue000(\d+)\ue001/g, (_, n: string) => hidden[Number(n)] ?? ""),
    };
  }

  private bareOrHidden(identifier: string, hide: (text: string) => string): string {
    const name = this.name(identifier);
    return name === identifier ? name : hide(name);
  }
}

/** `$function$ … $function$` as `$$ … $$`, where the body allows it. */
function withShortQuotes(literal: string): string {
  const [tag] = /^\$\w+\$/.exec(literal) ?? [];
  if (tag === undefined) return literal;
  const body = literal.slice(tag.length, literal.length - tag.length);
  return body.includes("$$") || body.endsWith("$") ? literal : `$$${body}$$`;
}

/** Names of types and lists of texts as they are usually written. */
function shortened(text: string): string {
  return text
    .replace(/( references [^\s(]+)\(/, "$1 (")
    .replace(SEQUENCE, withoutDefaults)
    .replace(/\btimestamp with time zone\b/g, "timestamptz")
    .replace(/\btimestamp without time zone\b/g, "timestamp")
    .replace(/\bcharacter varying\b/g, "varchar")
    .replace(/ = any \(array\[([^[\]]*)\]\)/g, (all, list: string) => asList(list, " in", all))
    .replace(/ <> all \(array\[([^[\]]*)\]\)/g, (all, list: string) => asList(list, " not in", all));
}

const SEQUENCE = /(?:as (\w+) )?increment by (\d+) minvalue (\d+) maxvalue (\d+) start with (\d+) cache (\d+) no cycle/;
const LARGEST: Record<string, string> = { smallint: "32767", integer: "2147483647", bigint: "9223372036854775807" };

/** Options of an ascending sequence, but for those that it has anyway. */
function withoutDefaults(_: string, ...found: string[]): string {
  const [type = "", increment = "", lowest = "", highest = "", start = "", cache = ""] = found;
  const isLargest = type === "" ? Object.values(LARGEST).includes(highest) : LARGEST[type] === highest;
  return [
    ["as", type, "bigint"],
    ["increment by", increment, "1"],
    ["minvalue", lowest, "1"],
    ["maxvalue", highest, isLargest ? highest : ""],
    ["start with", start, lowest],
    ["cache", cache, "1"],
  ]
    .filter(([, value, byDefault]) => value !== byDefault && value !== "" && value !== undefined)
    .map(([word, value]) => `${word} ${value}`)
    .join(" ");
}

/** A list of one is printed as a comparison, and means the same only for texts. */
function asList(list: string, word: string, otherwise: string): string {
  const parts = list.split(", ");
  const values = parts.flatMap((part) => /^(\ue000\d+\ue001)::text$/.exec(part)?.[1] ?? []);
  return values.length === parts.length && values.length > 1 ? `${word} (${values.join(", ")})` : otherwise;
}

type Unmask = (text: string) => string;

function written(statement: string, clauses: readonly string[], unmask: Unmask): string {
  const table = /^create (?:unlogged |foreign )?table \S+ \(/.exec(statement)?.[0];
  if (table !== undefined) return createTable(table, statement.slice(table.length), clauses, unmask);
  const text = withSingleBrackets(statement);
  if (/^create (?:or replace )?(?:function|procedure) /.test(text)) return createFunction(text, unmask);
  if (/^create (?:or replace )?(?:materialized )?view /.test(text)) return createView(text, unmask);
  if (/^create (?:constraint )?trigger /.test(text)) return createTrigger(text, unmask);
  if (/^create (?:unique )?index /.test(text)) return createIndex(text.replace(/ using btree \(/, " ("), unmask);
  if (text.startsWith("comment on "))
    return isLong(text, unmask) ? unmask(text.replace(/ is (?=\ue000\d+\ue001$)/, ` is\n${INDENT}`)) : unmask(text);
  if (/^(?:grant|revoke) /.test(text)) return privileges(text, unmask);
  if (text.startsWith("create policy "))
    return unmask(
      text
        .replace(/ (as (?:permissive|restrictive) )?for /, (all) => `\n${all.slice(1)}`)
        .replace(/ using \(/, "\nusing (")
        .replace(/ with check \(/, "\nwith check ("),
    );
  if (/^create table \S+ partition of /.test(text)) return createPartition(text, unmask);
  if (text.startsWith("create statistics ") && isLong(text, unmask))
    return unmask(text.replace(/ on (?=.* from )/, `\n${INDENT}on `));
  if (text.startsWith("create domain ")) return createDomain(text, unmask);
  if (text.startsWith("create aggregate ")) return createAggregate(text, unmask);
  if (/^alter text search configuration .* mapping for /.test(text) && isLong(text, unmask))
    return mapping(text, unmask);
  if (text.startsWith("create rule "))
    return unmask(text.replace(/ as\n +on /, " as\non ").replace(/ do\n +(?!.*\n)/, " do "));
  if (text.startsWith("alter default privileges ") && isLong(text, unmask))
    return unmask(text.replace(/ (grant|revoke) /, `\n${INDENT}$1 `));
  if (text.startsWith("create schema ") || text.startsWith("create extension "))
    return unmask(text.replace(/^create extension (\S+) schema /, "create extension if not exists $1 with schema "));
  return unmask(fitted(text, "", unmask));
}

const isLong = (text: string, unmask: Unmask): boolean => unmask(text).length > WIDTH;

/** The condition and the function on the line of the rows, as long as they fit there. */
function createTrigger(text: string, unmask: Unmask): string {
  const rows = text.slice(text.search(/ for each (?:row|statement) /) + 1);
  const space = rows.includes(" when (") && isLong(rows, unmask) ? "\n" : " ";
  return unmask(
    text
      .replace(/ (before|after|instead of) /, "\n$1 ")
      .replace(/ (for each (?:row|statement))/, "\n$1")
      .replace(/ (when \(|execute function )/g, `${space}$1`),
  );
}

/** What it is of and its bounds each on a line, as far as that is needed. */
function createPartition(text: string, unmask: Unmask): string {
  const broken = text.replace(" partition of ", `\n${INDENT}partition of `);
  if (!isLong(text, unmask)) return unmask(text);
  const [, second = ""] = broken.split("\n");
  return unmask(isLong(second, unmask) ? broken.replace(" for values ", `\n${INDENT}for values `) : broken);
}

/** A constraint a line, where they do not fit behind the type. */
function createDomain(text: string, unmask: Unmask): string {
  if (!isLong(text, unmask)) return unmask(text);
  const [type = "", ...constraints] = text.split(/ (?=constraint \S+ (?:check|not null))/);
  return unmask([type, ...constraints.map((part) => INDENT + fitted(part, INDENT, unmask))].join("\n"));
}

/** An option a line, where they do not fit behind the arguments. */
function createAggregate(text: string, unmask: Unmask): string {
  const open = text.lastIndexOf(" (sfunc = ");
  if (open < 0 || !isLong(text, unmask)) return unmask(text);
  const end = open + 2 + closing(text.slice(open + 2));
  const options = splitAt(text.slice(open + 2, end), ", ").join(`,\n${INDENT}`);
  return unmask(`${text.slice(0, open)} (\n${INDENT}${options}\n${text.slice(end)}`);
}

/** The kinds of words, filled into lines. */
function mapping(text: string, unmask: Unmask): string {
  const [head = "", kinds = "", dictionaries = ""] = text.split(/ (?=for |with (?!.* with ))/);
  const lines = filled(splitAt(kinds.slice("for ".length), ", "), INDENT + INDENT, unmask);
  return unmask(`${head} for\n${INDENT}${lines.join(`\n${INDENT}`)}\n${dictionaries}`);
}

function createIndex(text: string, unmask: Unmask): string {
  return unmask(isLong(text, unmask) ? text.replace(/ where /, `\n${INDENT}where `) : text);
}

/** A list of columns for each privilege. */
function privileges(text: string, unmask: Unmask): string {
  const on = text.search(/ on (?!.* on )/);
  const parts = splitAt(text.slice(0, on), ", ");
  if (!isLong(text, unmask) || !/^(?:grant|revoke) \w+ \(/.test(text)) return unmask(text);
  return unmask(
    `${parts.map((part) => fitted(part, "", unmask)).join(",\n")}${text.slice(on).replace(" on table ", "\non ")}`,
  );
}

/** One column or constraint a line. */
function createTable(head: string, rest: string, clauses: readonly string[], unmask: Unmask): string {
  const end = closing(rest);
  const isConstraint = (part: string): boolean => part.startsWith("constraint ");
  const marked = (mark: string): string[] =>
    clauses.flatMap((part) => (part.startsWith(mark) ? [part.slice(mark.length + 1)] : []));
  const options = new Map(marked(OPTIONS).map(splitName));
  const defaults = new Map(
    clauses.filter((part) => !isConstraint(part) && !/^[\ue003\ue004]/.test(part)).map(splitName),
  );
  const columns = [...splitAt(rest.slice(0, end), ", "), ...marked(DEFINITION)].map((part) => {
    const [name] = splitName(part);
    const expression = isConstraint(part) ? undefined : defaults.get(name);
    const complete = expression === undefined ? part : `${part} ${expression}`;
    return withOptions(complete, options.get(name));
  });
  const isColumn = (part: string): boolean => !isConstraint(part) && part !== "";
  const constraints = [...columns, ...clauses].filter(isConstraint).sort((a, b) => rankOf(a) - rankOf(b));
  const parts = [...columns.filter(isColumn), ...constraints];
  const lines = parts.map((part) => `${INDENT}${fitted(asPart(part), INDENT, unmask)}`);
  return unmask(`${head}\n${lines.join(",\n")}\n${rest.slice(end)}`);
}

/** Options stand behind the type, before what holds for its values. */
function withOptions(column: string, options: string | undefined): string {
  if (options === undefined) return column;
  const end = column.search(/ (?:collate|not null|default|generated)\b|$/);
  return `${column.slice(0, end)} options (${options.replace(/(^|, )add /g, "$1")})${column.slice(end)}`;
}

/** Keys come first. */
function rankOf(constraint: string): number {
  const rank = ["primary", "unique", "foreign"].indexOf(constraint.split(" ", 3)[2] ?? "");
  return rank === -1 ? 3 : rank;
}

/** A name and what follows it. */
function splitName(part: string): [string, string] {
  const end = part.indexOf(" ");
  return [part.slice(0, end), part.slice(end + 1)];
}

/** A default that is of its column's type needs no cast. */
function asPart(part: string): string {
  return withSingleBrackets(part)
    .replace(/ as identity \(\)/, " as identity")
    .replace(/^(\S+ text(?!\[).* default \ue000\d+\ue001)::text/, "$1")
    .replace(/^(\S+ varchar\b(?!(?:\(\d+\))?\[).* default \ue000\d+\ue001)::varchar/, "$1");
}

/** `check ((x))` as `check (x)`. */
function withSingleBrackets(text: string): string {
  let result = text;
  for (const word of ["check", "using", "when", "always as"]) {
    const open = result.indexOf(` ${word} ((`) + word.length + 2;
    if (open === word.length + 1) continue;
    const end = open + 1 + closing(result.slice(open + 1));
    const inner = result.slice(open + 1, end);
    if (closing(inner.slice(1)) === inner.length - 2) result = result.slice(0, open) + inner + result.slice(end + 1);
  }
  return result;
}

/** The clauses of the header a line each, as the server prints them. */
function createFunction(text: string, unmask: Unmask): string {
  return unmask(
    text
      .replace(/^create or replace /, "create ")
      .replace(/\n /g, "\n")
      .trim(),
  );
}

/** The server prints its query with line breaks, but for the first. */
function createView(text: string, unmask: Unmask): string {
  return unmask(
    text
      .replace(/ as\s+(select|with|values) /, " as\n$1 ")
      .replace(
        / as\nselect (distinct on \(.*?\) |distinct )?([^\n]+,)\n {4}(?=\S)/,
        (_, distinct: string | undefined, first: string) =>
          ` as\nselect${distinct === undefined ? "" : ` ${distinct.trimEnd()}`}\n    ${first}\n    `,
      )
      .replace(/\n {1,3}(from|where|group by|having|order by|limit|union|except|intersect)\b/g, "\n$1")
      .replace(/\n {5}(?=(?:left |right |full |cross )?join )/g, `\n${INDENT}`)
      .trimEnd(),
  );
}

/** Broken within its last brackets, where it is too long for a line. */
function fitted(text: string, indent: string, unmask: Unmask): string {
  if (text.includes("\n") || unmask(text).length + indent.length <= WIDTH) return text;
  const reference = text.replace(/ (foreign key|references) /, `\n${indent}${INDENT}$1 `);
  if (/ foreign key /.test(text)) return reference;
  const open = text.indexOf("(", /^constraint \S+ check /.exec(text)?.[0].length ?? text.search(/[^(]\(/) + 1);
  if (open < 1) return text;
  const end = open + 1 + closing(text.slice(open + 1));
  const inner = text.slice(open + 1, end);
  const deeper = indent + INDENT;
  const list = splitAt(inner, ", ");
  const lines = list.length > 1 ? filled(list, deeper, unmask) : byOperator(inner, deeper, unmask);
  return `${text.slice(0, open + 1)}\n${deeper}${lines.join(`\n${deeper}`)}\n${indent}${text.slice(end)}`;
}

function filled(parts: readonly string[], indent: string, unmask: Unmask): string[] {
  const lines: string[] = [];
  for (const [n, part] of parts.entries()) {
    const text = n < parts.length - 1 ? `${part},` : part;
    const last = lines.at(-1);
    if (last !== undefined && unmask(`${indent}${last} ${text}`).length <= WIDTH)
      lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(text);
  }
  return lines;
}

function byOperator(text: string, indent: string, unmask: Unmask): string[] {
  for (const operator of ["or", "and"]) {
    const parts = splitAt(text, ` ${operator} `);
    if (parts.length > 1) return parts.map((part, n) => (n === 0 ? part : `${operator} ${part}`));
  }
  return [fitted(text, indent, unmask)];
}

/** Where the bracket that is open before the text is closed. */
function closing(text: string): number {
  let depth = 1;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

/** The parts between separators that stand in no bracket. */
function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if ("([".includes(text.charAt(at))) depth += 1;
    if (")]".includes(text.charAt(at))) depth -= 1;
    if (depth === 0 && text.startsWith(separator, at)) {
      parts.push(text.slice(start, at));
      start = at + separator.length;
    }
  }
  return [...parts, text.slice(start)];
}
