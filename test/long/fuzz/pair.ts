import fc from "fast-check";
import { Draw } from "./draw.ts";
import { edited } from "./edit.ts";
import { drawModel, keysFrom } from "./generate.ts";
import type { ModelPair } from "./minimise.ts";

const MOST_OBJECTS = 50;
const MOST_EDITS = 20;
const CHOICES = 60;
/** Of 100 pairs, how many share nothing but what happens to have the same name. */
const UNRELATED_PERCENT = 15;

// Without a bias to small numbers: small models come of short lists.
const choices = fc.noBias(fc.array(fc.nat({ max: 0xffff }), { minLength: CHOICES, maxLength: CHOICES }));
const objects = fc.array(choices, { minLength: 10, maxLength: MOST_OBJECTS, size: "max" });

/** An old declaration of a layer, and a new one: mostly the old one with some edits. */
export const pairOf: fc.Arbitrary<ModelPair> = fc
  .record({
    old: objects,
    edits: fc.array(choices, { minLength: 4, maxLength: MOST_EDITS, size: "max" }),
    other: objects,
    kind: fc.nat({ max: 99 }),
  })
  .map(({ old: lists, edits, other, kind }) => {
    const keys = keysFrom(1);
    const old = drawModel(drawsOf(lists), keys);
    if (kind >= 100 - UNRELATED_PERCENT) return { old, next: drawModel(drawsOf(other), keys) };
    return { old, next: drawsOf(edits).reduce((model, draw) => edited(model, draw, keys), old) };
  });

const drawsOf = (lists: readonly number[][]): Draw[] => lists.map((list) => new Draw(list));
