/**
 * What a file says to `psql` and not to the server. What the SQL itself may not say is left to `loadSql.ts`.
 */
import { type SqlToken, sqlTokens } from "../plan/renames/sqlTokens.ts";
import { placeAt, type SqlFile, SqlFileError } from "./sqlFile.ts";

/** Most files have none of it, and are not split into tokens. */
const SUSPECT = /\\|\bcopy\b|\btransaction_timeout\b/i;

/**
 * Lines that `pg_dump` writes around a dump since August 2025: between them `psql` takes no commands.
 *
 * @see https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-META-COMMAND-RESTRICT
 */
const OF_A_DUMP = new Set(["restrict", "unrestrict"]);

/** What to write in a layer in place of a command. */
const INSTEAD: Readonly<Record<string, string>> = {
  i: "Name the other file in the layer's `files`, which also takes a directory.",
  ir: "Name the other file in the layer's `files`, which also takes a directory.",
  include: "Name the other file in the layer's `files`, which also takes a directory.",
  include_relative: "Name the other file in the layer's `files`, which also takes a directory.",
  c: "The stack's URL says which database is meant: take the line out.",
  connect: "The stack's URL says which database is meant: take the line out.",
  copy: "It brings rows, which a layer does not hold: declare the rows as `Rows`, which reads a CSV file, or a few of them as a `Row` each.",
  set: "Write the value where it is used.",
  gexec: "Write the statements that the query makes.",
};

/**
 * The file as the server is to get it, with each character at the place it had.
 *
 * @throws {SqlFileError} for a command of `psql`, and for COPY: its rows would not reach the server.
 */
export function withoutPsql(file: SqlFile): SqlFile {
  const { path, sql } = file;
  if (!SUSPECT.test(sql)) return file;
  const tokens = sqlTokens(sql).filter(({ kind }) => kind !== "comment");
  const blanks: [number, number][] = [];
  let isStart = true;
  for (let n = 0; n < tokens.length; n++) {
    const token = tokens[n];
    if (token === undefined) break;
    if (isSymbol(token, "\\")) {
      const end = lineEnd(sql, token.start);
      refuseCommand(path, sql, token.start, end);
      blanks.push([token.start, end]);
      while ((tokens[n + 1]?.start ?? end) < end) n += 1;
      isStart = true;
      continue;
    }
    const word = token.kind === "word" ? token.text.toLowerCase() : "";
    if (isStart && word === "copy") throw copyFault(path, sql, token.start);
    // A limit of time defines nothing, and a server older than the dump does not know it.
    if (isStart && word === "set" && tokens[n + 1]?.text.toLowerCase() === "transaction_timeout") {
      const close = tokens.slice(n, n + 5).find((next) => isSymbol(next, ";"));
      if (close !== undefined) blanks.push([token.start, close.end]);
    }
    isStart = isSymbol(token, ";");
  }
  return blanks.length === 0 ? file : { path, sql: blanked(sql, blanks) };
}

const isSymbol = ({ kind, text }: SqlToken, symbol: string): boolean => kind === "symbol" && text === symbol;

const lineEnd = (sql: string, from: number): number => {
  const end = sql.indexOf("\n", from);
  return end === -1 ? sql.length : end;
};

function blanked(sql: string, spans: readonly [number, number][]): string {
  const parts: string[] = [];
  let at = 0;
  for (const [start, end] of spans) {
    parts.push(sql.slice(at, start), sql.slice(start, end).replace(/[^\r\n]/g, " "));
    at = end;
  }
  return [...parts, sql.slice(at)].join("");
}

function refuseCommand(path: string, sql: string, start: number, end: number): void {
  const name = /^\\(\w+|\S?)/.exec(sql.slice(start, end))?.[1] ?? "";
  if (OF_A_DUMP.has(name)) return;
  throw new SqlFileError(
    "PS121",
    path,
    `found \\${name}, a command of psql that the server does not know, expected SQL alone. ${INSTEAD[name] ?? "Take it out, or write in SQL what it does."}`,
    { place: placeAt(sql, start) },
  );
}

function copyFault(path: string, sql: string, start: number): SqlFileError {
  return new SqlFileError(
    "PS107",
    path,
    "found COPY, expected definitions alone. COPY, INSERT and setval() bring rows and the values of sequences, which no layer can hold. " +
      "Declare the rows that belong to the desired state as `Rows`, a few of them as a `Row` each, and leave the others in the database. Of a dump take `pg_dump --schema-only`.",
    { place: placeAt(sql, start) },
  );
}
