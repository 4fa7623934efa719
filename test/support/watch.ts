import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** What another session saw while something went on. */
export interface Watched {
  /** Each distinct answer, in the order of its first appearance. */
  seen: string[];
  /** How often it looked. */
  looks: number;
}

/** A session that looks. */
export interface Watch {
  /** Waits until it has looked once more, all of it after this call. */
  look(): Promise<void>;
  /** Ends the session and tells what it saw. */
  stop(): Promise<Watched>;
}

const PAUSE_MS = 3;

/**
 * A session that asks the same question again and again, as every user of the database may. It has looked
 * once before this returns.
 *
 * @param question one statement with one row and one column; one statement sees one state of the catalog as
 *   long as it calls no function that reads the catalog by itself.
 */
export async function watch(url: string, question: string): Promise<Watch> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  const seen = new Set<string>();
  let looks = 0;
  let watching = true;
  const look = async (): Promise<void> => {
    const { rows } = await client.query<unknown[]>({ text: question, rowMode: "array" });
    seen.add(JSON.stringify(rows[0]?.[0]));
    looks += 1;
  };
  await look();
  const loop = (async () => {
    while (watching) {
      await look();
      await sleep(PAUSE_MS);
    }
  })();
  // The one who stops the watch is told.
  loop.catch(() => {});
  return {
    look,
    stop: async () => {
      watching = false;
      await loop.finally(() => client.end());
      return { seen: [...seen], looks };
    },
  };
}
