/**
 * Exemptions: lines `lint-ignore <code>: <reason>` in the comment of an object. There they are part of the
 * SQL that is reviewed, follow a rename, go with their object, and come along with a pull.
 */
import { quoteLiteral } from "../catalog/quote.ts";
import type { FoundObject } from "./rule.ts";

/** An object's comment that has the word in it. */
export interface Comment extends FoundObject {
  text: string;
}

/** What one line of a comment exempts. */
export interface Exemption {
  code: string;
  reason: string;
  comment: Comment;
  /** The comment without the line. */
  rest: string;
}

/** A line that is meant as an exemption and is none. */
export interface Misread {
  comment: Comment;
  found: string;
  rest: string;
}

const MEANT = /^\s*lint-ignore\b/;
const LINE = /^\s*lint-ignore\s+(?<codes>[\w-]+(?:\s*,\s*[\w-]+)*)\s*:\s*(?<reason>\S.*)$/;

/**
 * The exemptions of a comment.
 *
 * @param known the code of a lint by its code or name.
 */
export function readExemptions(
  comment: Comment,
  known: ReadonlyMap<string, string>,
): { exemptions: Exemption[]; misread: Misread[] } {
  const lines = comment.text.split("\n");
  const exemptions: Exemption[] = [];
  const misread: Misread[] = [];
  for (const [n, line] of lines.entries()) {
    if (!MEANT.test(line)) continue;
    const rest = lines.filter((_, m) => m !== n).join("\n");
    const { codes, reason } = LINE.exec(line)?.groups ?? {};
    if (codes === undefined || reason === undefined) {
      misread.push({ comment, rest, found: `"${line.trim()}" has no lint or no reason` });
      continue;
    }
    for (const given of codes.split(",").map((each) => each.trim())) {
      const code = known.get(given);
      if (code === undefined) misread.push({ comment, rest, found: `there is no lint ${given}` });
      else exemptions.push({ code, reason: reason.trim(), comment, rest });
    }
  }
  return { exemptions, misread };
}

/** What a comment says of its object. */
export const withoutExemptions = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !MEANT.test(line))
    .join("\n");

/** Whether a comment is on an object, on its table, or on its schema. */
export function covers(comment: FoundObject, object: FoundObject): boolean {
  if (comment.class === "pg_namespace") return comment.object === (object.schema ?? object.object);
  const isSame = comment.class === object.class && comment.object === object.object;
  if (isSame) return comment.part === object.part || comment.part === 0;
  return comment.class === "pg_class" && comment.part === 0 && comment.object === object.relation;
}

/** What `pg_identify_object` calls other than `COMMENT ON` does. */
const KINDS: Readonly<Record<string, string>> = {
  "table column": "COLUMN",
  "view column": "COLUMN",
  "table constraint": "CONSTRAINT",
};

/** The statement that gives an object another comment. */
export function commentOn({ type, identity }: FoundObject, text: string): string {
  const kind = KINDS[type] ?? type.toUpperCase();
  return `COMMENT ON ${kind} ${identity} IS ${text.trim() === "" ? "NULL" : quoteLiteral(text)};`;
}
