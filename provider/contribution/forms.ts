/**
 * Forms of definitions. The server prints a definition, and may print another one when it is given that
 * print; the form that stays the same is the *settled* one. Definitions are equal when they settle in the
 * same form.
 */
import { definitionsOf, mayChangeForm, withDefinitions } from "../catalog/definitions.ts";
import { encodeId, type Fact } from "../catalog/pgDelta.ts";

/**
 * Encoded id of a fact → attribute → text → the form in which that text settles. A text that is not in it is
 * settled itself.
 */
export type Forms = Record<string, Record<string, Record<string, string>>>;

/** A fact that has more combinations of forms than these is compared in the settled one alone. */
const MOST_COMBINATIONS = 64;

/** The form in which a definition settles. */
export function settledText(forms: Forms, id: string, attribute: string, text: string): string {
  return forms[id]?.[attribute]?.[text] ?? text;
}

/** A declared fact with each definition in the database's form of it, where that means the same. */
export function inFormOf(declared: Fact, live: Fact | undefined, forms: Forms): Fact {
  const key = encodeId(declared.id);
  const known = forms[key];
  if (live === undefined || known === undefined) return declared;
  const found = definitionsOf(live);
  const same = Object.entries(definitionsOf(declared)).flatMap(([attribute, text]) => {
    const other = found[attribute];
    return other !== undefined && settledText(forms, key, attribute, other) === text ? [[attribute, other]] : [];
  });
  return withDefinitions(declared, Object.fromEntries(same));
}

/** The fact in each of the other forms that mean the same. */
export function otherFormsOf(fact: Fact, forms: Forms): Fact[] {
  const known = forms[encodeId(fact.id)];
  if (known === undefined) return [];
  let found: Fact[] = [fact];
  for (const [attribute, settled] of Object.entries(definitionsOf(fact))) {
    const others = Object.entries(known[attribute] ?? {}).flatMap(([text, form]) => (form === settled ? [text] : []));
    const variants = [settled, ...others.filter((text) => text !== settled)];
    found = found.flatMap((one) => variants.map((text) => withDefinitions(one, { [attribute]: text })));
    if (found.length > MOST_COMBINATIONS) return [];
  }
  return found.slice(1);
}

/**
 * Whether a database holds a definition of a fact in another form than declared, and nobody knows in which
 * one that settles.
 */
export function hasUnknownForm(live: Fact, declared: Fact, forms: Forms): boolean {
  const known = forms[encodeId(declared.id)];
  if (!mayChangeForm(live)) return false;
  const texts = definitionsOf(declared);
  return Object.entries(definitionsOf(live)).some(
    ([attribute, text]) => text !== texts[attribute] && known?.[attribute]?.[text] === undefined,
  );
}

/** What is known of forms in two places. */
export function mergedForms(first: Forms, second: Forms): Forms {
  const merged: Forms = { ...first };
  for (const [id, attributes] of Object.entries(second)) {
    const known = { ...merged[id] };
    for (const [attribute, texts] of Object.entries(attributes)) known[attribute] = { ...known[attribute], ...texts };
    merged[id] = known;
  }
  return merged;
}
