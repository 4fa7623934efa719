import type { ClientBase } from "pg";
import type { Item } from "./items.ts";

/** What a server says of each item, one after the other. */
export interface Trial {
  kept: Item[];
  refused: Refusal[];
  /** How many items need a refused one. */
  orphans: number;
}

export interface Refusal {
  item: Item;
  message: string;
}

/** Executes the items in the open transaction, and leaves out what the server refuses and what needs it. */
export async function tryItems(client: ClientBase, items: readonly Item[]): Promise<Trial> {
  const trial: Trial = { kept: [], refused: [], orphans: 0 };
  const gone = new Set<number>();
  await client.query("set local statement_timeout = '5s'; savepoint item");
  for (const item of items) {
    if (item.needs.some((key) => gone.has(key))) {
      gone.add(item.key);
      trial.orphans += 1;
      continue;
    }
    try {
      await client.query(`${item.sql};\nrelease item; savepoint item`);
      trial.kept.push(item);
    } catch (error) {
      await client.query("rollback to item");
      gone.add(item.key);
      trial.refused.push({ item, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return trial;
}
