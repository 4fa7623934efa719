import type { ClientBase } from "pg";
import { drawn } from "./drawn.ts";
import { familyOf } from "./printFamilies.ts";
import { isSettled, type Prints, readPrints } from "./prints.ts";
import { tryItems } from "./trial.ts";

/** Prints that differ for one cause. */
interface Family {
  count: number;
  places: Set<string>;
  /** Of those whose last two prints differ still. */
  unstable: number;
  shortest: { seed: number; prints: Prints };
}

/** What servers print in more than one form, without any layer: about a tenth of a second a seed. */
export async function hunt(client: ClientBase, seeds: readonly number[], major: number): Promise<string> {
  const families = new Map<string, Family>();
  let objects = 0;
  for (const seed of seeds) {
    await client.query("begin");
    try {
      await tryItems(client, drawn(seed, major).world.items);
      const all = await readPrints(client);
      objects += all.length;
      for (const prints of all.filter((one) => !isSettled(one))) note(families, seed, prints);
    } finally {
      await client.query("rollback");
    }
  }
  const found = [...families].sort(([, a], [, b]) => b.count - a.count).map(([name, family]) => told(name, family));
  return [`PostgreSQL ${major}, ${seeds.length} schemas, ${objects} objects`, ...found].join("\n\n");
}

function note(families: Map<string, Family>, seed: number, prints: Prints): void {
  const name = familyOf(prints);
  const family = families.get(name) ?? { count: 0, places: new Set(), unstable: 0, shortest: { seed, prints } };
  families.set(name, family);
  family.count += 1;
  family.places.add(prints.kind);
  if (prints.fault === null && prints.prints.at(-1) !== prints.prints.at(-2)) family.unstable += 1;
  const length = ({ prints: [first = ""] }: Prints): number => first.length;
  if (length(prints) < length(family.shortest.prints)) family.shortest = { seed, prints };
}

function told(name: string, { count, places, unstable, shortest: { seed, prints } }: Family): string {
  const head = `${count} × ${name} (${[...places].sort().join(", ")}; unstable: ${unstable})`;
  const shown = prints.prints.map((print, n) => `  print ${n + 1}: ${print}`);
  const fault = prints.fault === null ? [] : [`  fault: ${prints.fault}`];
  return [head, `  seed ${seed}, ${prints.kind} ${prints.name}`, ...shown, ...fault].join("\n");
}
