import fc from "fast-check";
import { Draw } from "../draw.ts";
import { drawSchema } from "./schema.ts";
import type { World } from "./world.ts";

const FEWEST_LISTS = 30;
const MOST_LISTS = 60;
const CHOICES = 150;

const choices = fc.noBias(fc.array(fc.nat({ max: 0xffff }), { minLength: CHOICES, maxLength: CHOICES }));
const lists = fc.noBias(fc.array(choices, { minLength: FEWEST_LISTS, maxLength: MOST_LISTS, size: "max" }));

/** The schema of a seed, and choices for what is done with it. */
export function drawn(seed: number, major: number): { world: World; draw: Draw } {
  const [made] = fc.sample(fc.record({ lists, change: choices }), { seed, numRuns: 1 });
  if (made === undefined) throw new Error("fast-check gave no sample");
  const world = drawSchema(
    made.lists.map((list) => new Draw(list)),
    major,
  );
  return { world, draw: new Draw(made.change) };
}
