import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** What another session saw while something went on. */
export interface Watched {
  /** Each distinct answer, in the order of its first appearance. */
  seen: string[];
  /** How often it looked. */
  looks: number;
}

const PAUSE_MS = 3;

/**
 * A session that asks the same question again and again, as every user of the database may.
 *
 * @param question one statement with one row and one column; one statement sees one state of the catalog as long as it calls no
 *   function that reads the catalog by itself.
 * @returns ends the session and tells what it saw.
 */
export async function watch(url: string, question: string): Promise<() => Promise<Watched>> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  const seen = new Set<string>();
  let looks = 0;
  let watching = true;
  const loop = (async () => {
    while (watching) {
      const { rows } = await client.query<unknown[]>({ text: question, rowMode: "array" });
      seen.add(JSON.stringify(rows[0]?.[0]));
      looks += 1;
      await sleep(PAUSE_MS);
    }
  })();
  // The one who stops the watch is told.
  loop.catch(() => {});
  return async () => {
    watching = false;
    await loop.finally(() => client.end());
    return { seen: [...seen], looks };
  };
}
