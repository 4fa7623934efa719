import { type Model, ofKind, type SchemaObject } from "./model.ts";
import { validated } from "./valid.ts";

/** An old and a new declaration of one layer. */
export interface ModelPair {
  old: Model;
  next: Model;
}

/**
 * A smaller pair that still fails: objects and columns that do not matter are left out of both sides, and
 * differences that do not matter are undone.
 *
 * @param fails whether a pair fails in the same way.
 */
export async function minimised(pair: ModelPair, fails: (pair: ModelPair) => Promise<boolean>): Promise<ModelPair> {
  let best = pair;
  for (let before: ModelPair | undefined; before !== best; ) {
    before = best;
    for (const make of candidates(best)) {
      const candidate = make(best);
      if (candidate !== undefined && size(candidate) < size(best) && (await fails(candidate))) best = candidate;
    }
  }
  return best;
}

const size = ({ old, next }: ModelPair): number =>
  JSON.stringify(old).length + JSON.stringify(next).length + differing({ old, next }).length * 1000;

/** Keys of objects that are not the same on both sides. */
function differing({ old, next }: ModelPair): number[] {
  const [left, right] = [old, next].map(
    (model) => new Map(model.map((object) => [object.key, JSON.stringify(object)])),
  );
  const keys = new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])]);
  return [...keys].filter((key) => left?.get(key) !== right?.get(key));
}

type Step = (pair: ModelPair) => ModelPair | undefined;

function candidates(pair: ModelPair): Step[] {
  const keys = new Set([...pair.old, ...pair.next].map(({ key }) => key));
  const columns = new Set(
    [...pair.old, ...pair.next].flatMap((object) =>
      object.kind === "table" || object.kind === "view" ? object.columns.map(({ key }) => key) : [],
    ),
  );
  const parts = halves([...keys].reverse());
  return [
    ...parts.map(
      (part): Step =>
        (now) =>
          both(now, (model) => model.filter(({ key }) => !part.includes(key))),
    ),
    ...[...keys].map(
      (key): Step =>
        (now) =>
          both(now, (model) => model.filter((object) => object.key !== key)),
    ),
    ...differing(pair).map(
      (key): Step =>
        (now) =>
          alike(now, key),
    ),
    ...[...columns].map(
      (key): Step =>
        (now) =>
          both(now, (model) => model.map((object) => without(object, key))),
    ),
  ];
}

/** A list in halves, quarters and eighths. */
function halves(keys: readonly number[]): number[][] {
  return [2, 4, 8].flatMap((parts) => {
    const length = Math.ceil(keys.length / parts);
    return length < 2 ? [] : Array.from({ length: parts }, (_, n) => keys.slice(n * length, (n + 1) * length));
  });
}

function both({ old, next }: ModelPair, change: (model: Model) => Model): ModelPair {
  return { old: validated(change(old)), next: validated(change(next)) };
}

/** The new object as the old one is. */
function alike({ old, next }: ModelPair, key: number): ModelPair | undefined {
  const before = old.find((object) => object.key === key);
  if (before === undefined) return undefined;
  const isThere = next.some((object) => object.key === key);
  const changed = isThere ? next.map((object) => (object.key === key ? before : object)) : [...next, before];
  return { old, next: validated(changed) };
}

function without(object: SchemaObject, column: number): SchemaObject {
  if (object.kind === "table") return { ...object, columns: object.columns.filter(({ key }) => key !== column) };
  if (object.kind === "view") return { ...object, columns: object.columns.filter(({ key }) => key !== column) };
  return object;
}

/** How many objects of which kind a model has, in words. */
export function summary(model: Model): string {
  const kinds = new Set(model.map(({ kind }) => kind));
  return [...kinds].map((kind) => `${ofKind(model, kind).length} ${kind}`).join(", ");
}
