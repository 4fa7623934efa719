/** The objects of a JSON file, one after another, each with the line on which it begins. */
import type { Properties, Value } from "../../core/resourceType.ts";
import { isObject } from "../../core/values.ts";
import { FileFault } from "./csv.ts";

export interface JsonRecord {
  /** On which it begins, from 1. */
  line: number;
  row: Properties;
}

/** A part of a text that is one object, not parsed yet. */
interface Part {
  line: number;
  text: string;
}

/**
 * The objects of a JSON array, or of a file with one a line, one after another: only one of them is in
 * memory.
 *
 * @throws {FileFault}
 */
export async function* jsonRecords(text: AsyncIterable<string>): AsyncGenerator<JsonRecord> {
  const splitter = new Splitter();
  for await (const chunk of text) for (const part of splitter.add(chunk)) yield parsed(part);
  splitter.end();
}

function parsed({ line, text }: Part): JsonRecord {
  const inexact: string[] = [];
  let row: Value;
  try {
    row = JSON.parse(text, (_name, value: Value, context?: { source?: string }) => {
      if (typeof value === "number" && !isExact(value, context?.source)) inexact.push(String(value));
      return value;
    });
  } catch {
    throw new FileFault("is not JSON", line); // the parser's own message holds a part of the text
  }
  if (inexact.length > 0)
    throw new FileFault("a number has more digits than JSON numbers keep; give it as a string", line);
  if (!isObject(row)) throw new FileFault("found no object, expected one a row", line);
  return { line, row };
}

/** Fifteen digits survive any number of JSON; more of them only some. */
function isExact(value: number, source: string | undefined): boolean {
  if (source === undefined || String(value) === source) return true;
  return (
    source
      .replace(/[eE].*$/, "")
      .replace(/[-+.]/g, "")
      .replace(/^0+|0+$/g, "").length <= 15
  );
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, LIST_END, COMMA, NEWLINE] = [...'"\\{}[],\n'].map((c) => c.charCodeAt(0));

/** Finds where the objects of the outermost level begin and end; whether they are JSON is not its affair. */
class Splitter {
  private line = 1;
  private depth = 0;
  private isInText = false;
  private isEscaped = false;
  /**
   * `start` before anything, `first`, `value` and `comma` within a list, `lines` outside of one, `end` behind
   * a list.
   */
  private expects: "start" | "first" | "value" | "comma" | "lines" | "end" = "start";
  private begun: Part | undefined;

  *add(chunk: string): Generator<Part> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const char = chunk.charCodeAt(at);
      if (char === NEWLINE) this.line += 1;
      if (this.begun === undefined) {
        if (char !== OPEN) {
          this.between(char);
          continue;
        }
        if (this.expects === "comma" || this.expects === "end") this.refuse();
        this.begun = { line: this.line, text: "" };
        from = at;
      }
      if (this.isInText) {
        if (this.isEscaped) this.isEscaped = false;
        else if (char === BACKSLASH) this.isEscaped = true;
        else if (char === QUOTE) this.isInText = false;
      } else if (char === QUOTE) this.isInText = true;
      else if (char === OPEN || char === LIST) this.depth += 1;
      else if (char === CLOSE || char === LIST_END) {
        this.depth -= 1;
        if (this.depth > 0) continue;
        yield { line: this.begun.line, text: this.begun.text + chunk.slice(from, at + 1) };
        this.begun = undefined;
        this.expects = this.expects === "start" || this.expects === "lines" ? "lines" : "comma";
      }
    }
    if (this.begun !== undefined) this.begun.text += chunk.slice(from);
  }

  end(): void {
    if (this.begun !== undefined || ["first", "value", "comma"].includes(this.expects))
      throw new FileFault("the file ends within a value", this.begun?.line ?? this.line);
  }

  private between(char: number): void {
    if (char === 32 || char === NEWLINE || char === 13 || char === 9) return;
    if (this.expects === "start" && char === 0xfeff && this.line === 1) return;
    if (this.expects === "start" && char === LIST) this.expects = "first";
    else if (this.expects === "comma" && char === COMMA) this.expects = "value";
    else if ((this.expects === "comma" || this.expects === "first") && char === LIST_END) this.expects = "end";
    else this.refuse();
  }

  private refuse(): never {
    throw new FileFault(
      "found something else than an object; expected a list of objects, or one object a line",
      this.line,
    );
  }
}
