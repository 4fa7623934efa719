import type { ClientBase } from "pg";
import { changed } from "./change.ts";
import { drawn } from "./drawn.ts";
import { type Item, without } from "./items.ts";
import { isSettled, type Prints, readPrints, speaksOf } from "./prints.ts";
import type { Pair } from "./settles.ts";
import { type Trial, tryItems } from "./trial.ts";

export interface Drawn extends Pair {
  /** What was generated and what of it the server refused. */
  all: number;
  refused: Trial["refused"];
  orphans: number;
  change: string;
}

/**
 * The files of a seed before and after a change, without what the server refuses.
 *
 * @param settledOnly also without what the server is known to print in two forms, so that other faults are
 *   found.
 */
export async function pairOf(client: ClientBase, seed: number, major: number, settledOnly: boolean): Promise<Drawn> {
  const { world, draw } = drawn(seed, major);
  const known = world.items.filter(({ since }) => since === undefined || since <= major);
  const first = await valid(client, known, settledOnly);
  const change = changed(world, first.kept, draw);
  const next = await valid(client, change.items, settledOnly);
  const { refused, orphans } = first.trial;
  return { seed, items: first.kept, changed: next.kept, all: known.length, refused, orphans, change: change.what };
}

async function valid(
  client: ClientBase,
  items: readonly Item[],
  settledOnly: boolean,
): Promise<{ kept: Item[]; trial: Trial }> {
  const attempt = async (some: readonly Item[]): Promise<{ trial: Trial; odd: Prints[] }> => {
    await client.query("begin");
    try {
      const trial = await tryItems(client, some);
      return { trial, odd: settledOnly ? (await readPrints(client)).filter((print) => !isSettled(print)) : [] };
    } finally {
      await client.query("rollback");
    }
  };
  const { trial, odd } = await attempt(items);
  let kept = trial.kept;
  let left = odd;
  for (let round = 0; left.length > 0 && round < 5; round++) {
    const isOdd = ({ sql }: Item): boolean => left.some((print) => speaksOf(sql, print));
    // Constraints without a name are found by nothing but their table.
    const isPlain = left.some(({ kind }) => /check|constraint|default|generated/.test(kind));
    const plain = kept.map((item) => (item.plain !== undefined && (isPlain || isOdd(item)) ? plainly(item) : item));
    const gone = plain.filter(
      (item) =>
        item.plain === undefined &&
        !["schema", "extension", "enum", "composite", "trigger function"].includes(item.kind) &&
        isOdd(item),
    );
    const rest = without(plain, new Set(gone.map(({ key }) => key)));
    const again = await attempt(rest);
    kept = again.trial.kept;
    left = again.odd;
  }
  return { kept, trial };
}

function plainly(item: Item): Item {
  const { table, again, ...rest } = item;
  return { ...rest, sql: item.plain ?? item.sql };
}
