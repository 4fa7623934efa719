/** How parts of a text are fitted into a number of characters: which are shortened, and which are told of. */

/** A part of a text that is made of items, of which the first ones are worth the most. */
export interface Part {
  /** Parts of a lower rank have their room first. */
  rank: number;
  before: readonly string[];
  items: readonly string[];
  after: readonly string[];
  /** What is said in place of the last items. */
  leftOut(count: number): string;
}

const length = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + line.length + 1, 0);
const whole = ({ before, items, after }: Part): string[] => [...before, ...items, ...after];
const without = ({ before, after, leftOut, items }: Part, first: number): string[] => [
  ...before,
  ...items.slice(0, first),
  ...after,
  leftOut(items.length - first),
];

/**
 * The parts in their order, shortened from the highest rank on. A part keeps its words about what is left out
 * wherever there is room for that.
 *
 * @param ending in place of the parts that no word was left for.
 */
export function fitParts(parts: readonly Part[], most: number, ending: (count: number) => string): string {
  const byRank = parts.toSorted((one, other) => one.rank - other.rank);
  const least = new Map(parts.map((part) => [part, Math.min(length(whole(part)), length(without(part, 0)))]));
  let needed = [...least.values()].reduce((sum, each) => sum + each, 0);
  const dropped: Part[] = [];
  const room = most - ending(parts.length).length - 1;
  while (needed > room) {
    const last = byRank.pop();
    if (last === undefined) break;
    needed -= least.get(last) ?? 0;
    dropped.push(last);
  }
  const shown = new Map<Part, string[]>();
  let left = room - needed;
  for (const part of byRank) {
    const lines = shortened(part, left + (least.get(part) ?? 0));
    left -= length(lines) - (least.get(part) ?? 0);
    shown.set(part, lines);
  }
  const lines = parts.flatMap((part) => shown.get(part) ?? []);
  return [...lines, ...(dropped.length === 0 ? [] : [ending(dropped.length)])].join("\n");
}

function shortened(part: Part, most: number): string[] {
  if (length(whole(part)) <= most) return whole(part);
  const { items } = part;
  let count = 0;
  let used = length(without(part, 0));
  for (const item of items) {
    used += item.length + 1;
    if (used > most) break;
    count += 1;
  }
  return without(part, count);
}
