/**
 * What a schema of the foreign corpus consists of, and how its file becomes another one: `schema.sql` as such
 * a project writes it, `rows.sql`, and changes as edits of the text. `roundTrip.ts` carries them out.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A part of the file, which stands in it once, and what takes its place. Empty is the end of the file. */
export type Edit = readonly [from: string, to: string];

/** One change as a person makes it, and the way back. */
export interface Change {
  title: string;
  edits: readonly Edit[];
  /** Exactly what the layer has to approve of. */
  allow?: readonly string[];
  /** Old names by new ones: `blog.posts`, `blog.posts.title`. Their rows and values must be the same. */
  renamed?: Readonly<Record<string, string>>;
  /** Part of the message with which a layer refuses it: a known gap, listed in `docs/coverage.md`. */
  refused?: string;
  /** Tables whose rows become those of another one, or come back from it. */
  movesRowsOf?: readonly string[];
  back?: {
    allow?: readonly string[];
    /** Of the file that is gone back to, such as a comment that names a rename. */
    edits?: readonly Edit[];
    /** Part of how the catalog then differs from what plain SQL makes: a known gap, as above. */
    differs?: string;
  };
}

export interface ForeignSchema {
  /** Its folder. */
  name: string;
  /** Roles of the server that the file names. They begin with the name, so that no other test has them. */
  roles: readonly string[];
  changes: readonly Change[];
}

export const fileOf = ({ name }: ForeignSchema, file: "schema.sql" | "rows.sql"): string =>
  readFileSync(join(import.meta.dirname, name, file), "utf8");

/** @throws {Error} for an edit that fits nowhere, or in several places. */
export function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, [from, to]) => {
    if (from === "") return `${before}\n${to}\n`;
    const places = before.split(from).length - 1;
    if (places !== 1) throw new Error(`found ${places} places for an edit, expected 1:\n${from}`);
    return before.replace(from, () => to);
  }, text);
}
