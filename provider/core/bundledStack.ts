/** Stack traces of a process that was started from a bundle, with the lines of the files it was made of. */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** A place in a part of a bundle, as a stack trace has it. */
const PLACE = /(file:\/\/\/[^\s()]*\/\.pgstrata\/bundle\/[^\s()/]+\/[^\s()/]+\.js):(\d+):(\d+)/g;

/** The same text with places in the sources; a place that no map knows stays as it is. */
export function inSources(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replaceAll(PLACE, (found, url: string, line: string, column: string) => {
    if (!maps.has(url)) maps.set(url, mapOf(url));
    const entry = maps.get(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !("originalSource" in entry)) return found;
    const source = pathToFileURL(resolve(dirname(fileURLToPath(url)), entry.originalSource));
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function mapOf(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, "utf8")));
  } catch {
    return undefined;
  }
}
