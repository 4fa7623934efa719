import { without } from "./items.ts";
import type { Pair } from "./settles.ts";

/**
 * A pair of fewer items that still fails: parts of them, then single ones, are left out of both sides with
 * what needs them.
 *
 * @param fails whether a pair fails in the same way.
 */
export async function minimised(pair: Pair, fails: (pair: Pair) => Promise<boolean>): Promise<Pair> {
  let best = pair;
  const attempt = async (candidate: Pair): Promise<void> => {
    if (size(candidate) < size(best) && (await fails(candidate))) best = candidate;
  };
  // The change may not matter at all.
  await attempt({ ...best, changed: [] });
  for (const parts of [2, 4, 8, 16]) {
    const keys = keysOf(best);
    const length = Math.ceil(keys.length / parts);
    for (let at = 0; at < keys.length; at += length) await attempt(less(best, keys.slice(at, at + length)));
  }
  for (let before: Pair | undefined; before !== best; ) {
    before = best;
    for (const key of keysOf(best)) await attempt(less(best, [key]));
  }
  return best;
}

const size = ({ items, changed }: Pair): number => items.length + changed.length;

/** Last things first: nothing needs them. */
const keysOf = ({ items, changed }: Pair): number[] =>
  [...new Set([...items, ...changed].map(({ key }) => key))].reverse();

function less(pair: Pair, keys: readonly number[]): Pair {
  const gone = new Set(keys);
  return { ...pair, items: without(pair.items, gone), changed: without(pair.changed, gone) };
}
