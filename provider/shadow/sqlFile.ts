/**
 * A SQL file of a layer, and how a fault in it is shown with its place. What the fault is, is left to where
 * it is found.
 */
import type pg from "pg";
import type { ErrorCode } from "../core/errorCodes.ts";
import { UserError } from "../core/errors.ts";

/** One SQL file of a layer. */
export interface SqlFile {
  /** As a person would open it: relative to the project directory. */
  path: string;
  sql: string;
}

/** A place in a file; line and column are counted from 1, in characters. */
export interface Place {
  line: number;
  column: number;
  /** The line itself. */
  text: string;
}

interface FaultContext {
  place?: Place | undefined;
  /** What the server answered with. */
  sqlstate?: string | undefined;
  cause?: unknown;
}

/** A mistake in a SQL file, with its place: where the server found it, else where its statement begins. */
export class SqlFileError extends UserError {
  override name = "SqlFileError";
  readonly path: string;
  readonly sqlstate: string | undefined;
  /** What is wrong, without the place. */
  readonly fault: string;
  readonly place: Place | undefined;

  constructor(code: ErrorCode, path: string, fault: string, { place, sqlstate, cause }: FaultContext = {}) {
    const [first = "", ...rest] = fault.split("\n");
    const where = place === undefined ? path : `${path}:${place.line}:${place.column}`;
    const line = place === undefined ? [] : [`    ${place.text}`, `    ${" ".repeat(place.column - 1)}^`];
    super(code, [`${where}: ${first}`, ...line, ...rest].join("\n"), { property: "files", cause });
    this.path = path;
    this.sqlstate = sqlstate;
    this.fault = fault;
    this.place = place;
  }
}

/** What the server says of a mistake, without the values of its DETAIL. */
export const serverSays = ({ message, hint }: pg.DatabaseError): string =>
  message + (hint === undefined ? "" : `\n  The server's hint: ${hint}`);

/**
 * @param position counted in characters (not UTF-16 units) from 1, as the server does.
 * @param start where what was sent to the server starts in the file, in UTF-16 units.
 */
export function placeOf(sql: string, position: number, start = 0): Place {
  let offset = start;
  for (let n = 1; n < position && offset < sql.length; n++) offset += (sql.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return placeAt(sql, offset);
}

/** @param offset in UTF-16 units. */
export function placeAt(sql: string, offset: number): Place {
  const before = sql.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const end = sql.indexOf("\n", start);
  return {
    line: before.split("\n").length,
    column: [...before.slice(start)].length + 1,
    text: sql
      .slice(start, end === -1 ? undefined : end)
      .replace(/\r$/, "")
      .replaceAll("\t", " "),
  };
}
