/** Names of what is kept: the mark, the date, and what tells it from others; 63 bytes at most. */
import { createHash } from "node:crypto";
import { KEPT_PREFIX } from "../../catalog/kept.ts";

const MOST_BYTES = 63;

const marked = (until: string): string => `${KEPT_PREFIX}${until.replaceAll("-", "")}_`;

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

/**
 * A schema for what a layer drops from one schema. It needs no quotes, so that texts that name it can be
 * rewritten.
 *
 * @param taken schemas that are there.
 */
export function keptSchemaName(
  { layer, until }: { layer: string; until: string },
  schema: string,
  taken: ReadonlySet<string>,
): string {
  return free(marked(until) + digestOf(JSON.stringify([layer, schema])), taken);
}

/** @param taken names of the other columns. */
export function keptColumnName(until: string, column: string, taken: ReadonlySet<string>): string {
  const whole = marked(until) + column;
  if (Buffer.byteLength(whole) <= MOST_BYTES - 4) return free(whole, taken);
  // A cut may not go through a letter.
  let short = column;
  while (Buffer.byteLength(marked(until) + short) > MOST_BYTES - 13) short = [...short].slice(0, -1).join("");
  return free(`${marked(until)}${short}_${digestOf(column)}`, taken);
}

function free(name: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}_${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}
