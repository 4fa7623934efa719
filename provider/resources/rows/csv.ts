/** The records of a CSV file, one after another. What their fields mean is told in `source.ts`. */
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";

/** A record of a CSV file; null where its field is the null text without quotes. */
export interface CsvRecord {
  /** On which it begins, from 1. */
  line: number;
  fields: (string | null)[];
}

/** What is wrong with a file, and where. Never holds a field. */
export class FileFault extends Error {
  override name = "FileFault";
  readonly line: number | undefined;

  constructor(reason: string, line?: number) {
    super(reason);
    this.line = line;
  }
}

/**
 * The records of a CSV file as COPY reads it: fields with a comma, a quote or a line end are in double
 * quotes, a quote within is doubled. Empty lines are passed over.
 *
 * @throws {FileFault}
 */
export async function* csvRecords(text: AsyncIterable<string>, nullText: string): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ["\r\n", "\n"],
    cast: (field, { quoting }) => (!quoting && field === nullText ? null : field),
  });
  const input = Readable.from(text, { objectMode: true });
  input.on("error", (error) => void parser.destroy(error));
  input.pipe(parser);
  let last = 0;
  try {
    for await (const { record, info } of parser) {
      const fields: (string | null)[] = record;
      // Lines are counted up to the end of the record; a field may hold some.
      const within = fields.reduce((sum, field) => sum + (field === null ? 0 : lineEndsIn(field)), 0);
      last = info.lines;
      yield { line: info.lines - within, fields };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new FileFault(REASONS[error.code] ?? "is not CSV", last + 1);
    throw error;
  } finally {
    input.destroy();
  }
}

/** The parser's own messages may hold a part of a field. */
const REASONS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: "a quote is opened and not closed; expected a closing one before the end of the file",
  CSV_INVALID_CLOSING_QUOTE: "text follows a closing quote; expected a comma or the end of the line",
  INVALID_OPENING_QUOTE:
    "a quote stands within a field that does not begin with one; put the field into quotes and double those within",
};

function lineEndsIn(field: string): number {
  let count = 0;
  for (let at = field.indexOf("\n"); at >= 0; at = field.indexOf("\n", at + 1)) count += 1;
  return count;
}
