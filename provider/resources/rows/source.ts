// Where the rows of a set come from, one after another, whether the program or a file gives them. What the
// database makes of their values is in `stage.ts`.
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { isAbsolute, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import type { Value } from "../../core/resourceType.ts";
import { codeOf } from "../../database/connectionError.ts";
import { csvRecords, FileFault } from "./csv.ts";
import { fileKindOf, type RowsInputs } from "./inputs.ts";
import { jsonRecords } from "./json.ts";

/** Bytes of a file in memory at a time. */
const PART = 1 << 18;

/** One row of the set. */
export interface SetRow {
  /** Line of the file, or place in the program's list. */
  place: number;
  /** In the order of the columns. */
  cells: readonly Value[];
}

/** The rows of a set, to be read once. */
export interface RowSource {
  /** Of the first row, as all have the same; empty before it is read, and where there is none. */
  columns: readonly string[];
  /** True where a cell is a text that the server reads as it is, false where it is a value of JSON. */
  isText: boolean;
  rows(): AsyncIterable<SetRow>;
  /** `data/countries.csv, line 3`, for messages. */
  describe(place: number): string;
  /** Of the content, once all rows are read; of what the program gives, undefined. */
  digest(): string | undefined;
}

/** @param directory the project directory: relative paths start there. */
export function openSource(inputs: RowsInputs, directory: string): RowSource {
  return inputs.file === undefined ? givenRows(inputs) : fileRows(inputs, inputs.file, directory);
}

function givenRows({ rows = [] }: RowsInputs): RowSource {
  const describe = (place: number): string => `rows[${place}]`;
  const source: RowSource = {
    columns: Object.keys(rows[0] ?? {}),
    isText: false,
    describe,
    digest: () => undefined,
    async *rows() {
      for (const [place, row] of rows.entries()) yield { place, cells: cellsOf(row, source.columns, describe(place)) };
    },
  };
  return source;
}

function fileRows({ key, nullText }: RowsInputs, file: string, directory: string): RowSource {
  const hash = createHash("sha256");
  let digest: string | undefined;
  const describe = (place: number): string => `${file}, line ${place}`;
  const content = textOf(isAbsolute(file) ? file : join(directory, file), hash);
  const isCsv = fileKindOf(file) === "csv";

  async function* fromCsv(): AsyncGenerator<SetRow> {
    let isHeader = true;
    for await (const { line, fields } of csvRecords(content, nullText)) {
      if (isHeader) source.columns = headerOf(fields, key, describe(line));
      else if (fields.length === source.columns.length) yield { place: line, cells: fields };
      else {
        const [found, expected] = [fields.length, source.columns.length];
        throw fault(`${describe(line)}: found ${found} fields, expected ${expected}, as many as the first line has`);
      }
      isHeader = false;
    }
  }
  async function* fromJson(): AsyncGenerator<SetRow> {
    for await (const { line, row } of jsonRecords(content)) {
      if (source.columns.length === 0) source.columns = Object.keys(row);
      yield { place: line, cells: cellsOf(row, source.columns, describe(line)) };
    }
  }
  const source: RowSource = {
    columns: [],
    isText: isCsv,
    describe,
    digest: () => digest,
    async *rows() {
      try {
        yield* isCsv ? fromCsv() : fromJson();
        digest = hash.digest("hex");
      } catch (error) {
        throw asFault(error, file);
      }
    },
  };
  return source;
}

/** @throws {FileFault} where the text is not UTF-8: a replacement character would get into the rows. */
async function* textOf(path: string, hash: ReturnType<typeof createHash>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let lines = 1;
  for await (const bytes of createReadStream(path, { highWaterMark: PART })) {
    hash.update(bytes);
    yield decoded(
      () => decoder.decode(bytes, { stream: true }),
      () => lines + linesBeforeFault(bytes),
    );
    lines += lineEndsIn(bytes);
  }
  yield decoded(
    () => decoder.decode(),
    () => lines,
  );
}

function decoded(decode: () => string, line: () => number): string {
  try {
    return decode();
  } catch {
    throw new FileFault("is not UTF-8; save the file in that encoding", line());
  }
}

function lineEndsIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}

function linesBeforeFault(bytes: Uint8Array): number {
  let from = 0;
  for (let count = 0; ; count += 1) {
    const end = bytes.indexOf(10, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return count;
    from = end + 1;
  }
}

function headerOf(fields: readonly (string | null)[], key: readonly string[], where: string): string[] {
  const names = fields.map((field) => field ?? "");
  const nameless = names.indexOf("");
  if (nameless >= 0)
    throw fault(`${where}: field ${nameless + 1} is empty, expected the name of a column: the first line names them`);
  const double = names.find((name, n) => names.indexOf(name) < n);
  if (double !== undefined) throw fault(`${where}: found column "${double}" twice, expected it once`);
  requireKey(names, key, where);
  return names;
}

/** @throws {UserError} where the columns of a set do not have its key. */
export function requireKey(columns: readonly string[], key: readonly string[], where: string): void {
  const missing = key.filter((name) => !columns.includes(name));
  if (missing.length === 0) return;
  throw fault(
    `${where}: found columns ${columns.map((name) => `"${name}"`).join(", ")}, expected the key ${missing.map((name) => `"${name}"`).join(", ")} among them`,
  );
}

/** All rows have the same columns, so that none is taken as null that was only forgotten. */
function cellsOf(row: { [column: string]: Value }, columns: readonly string[], where: string): Value[] {
  const names = Object.keys(row);
  const missing = columns.filter((name) => !Object.hasOwn(row, name));
  const more = names.filter((name) => !columns.includes(name));
  if (missing.length === 0 && more.length === 0) return columns.map((name) => row[name] ?? null);
  const found = [
    ...missing.map((name) => `no column "${name}", which the first row has`),
    ...more.map((name) => `column "${name}", which the first row has not`),
  ];
  throw fault(
    `${where}: found ${found.join(", and ")}. Expected the same columns in all rows; give null where there is no value`,
  );
}

function asFault(error: unknown, file: string): unknown {
  if (error instanceof FileFault)
    return fault(`${file}${error.line === undefined ? "" : `, line ${error.line}`}: ${error.message}`);
  const code = codeOf(error);
  const reason = code === undefined ? undefined : UNREADABLE[code];
  return reason === undefined ? error : fault(`${file}: ${reason} (paths start at the project directory)`);
}

const UNREADABLE: Record<string, string> = {
  ENOENT: "found nothing there, expected a CSV or JSON file",
  EISDIR: "found a directory, expected a CSV or JSON file",
  EACCES: "the file cannot be read for lack of rights",
};

const fault = (message: string): UserError => new UserError("PS411", message);
