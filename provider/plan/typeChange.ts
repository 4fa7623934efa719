/**
 * What a change of a column's type does to existing rows: nothing, a copy of the table, or values that may
 * not fit. What that means for a plan is decided in `hazards.ts`.
 */

/**
 * What a change of a column's type means for the rows that are there. `free`: only the catalog changes.
 * `rewrite`: every value fits the new type, but the table is copied under a lock that blocks reads and
 * writes. `narrowing`: a value may not fit, or may lose something.
 */
export type TypeChange = "free" | "rewrite" | "narrowing";

/** Families of types, each of which holds every value of the ones before it. */
const WIDENING = [
  ["smallint", "integer", "bigint", "numeric"],
  ["real", "double precision"],
];

/** Types whose longer forms hold the same bytes; `character` pads with blanks and is copied. */
const GROW_FREELY = /^(bit varying|interval.*|time.*)$/;

/**
 * @param from as `format_type` prints it, such as `character varying(10)`.
 * @see https://www.postgresql.org/docs/current/sql-altertable.html, notes on when a change of type needs no
 *   rewrite
 */
export function typeChange(from: string, to: string): TypeChange {
  const [before, after] = [parse(from), parse(to)];
  if (isText(before.name) && isText(after.name)) return growsText(before, after) ? "free" : "narrowing";
  if (before.name === after.name) {
    const change = grown(before, after);
    // Each element is converted, though none changes.
    return change === "free" && before.name.endsWith("[]") ? "rewrite" : change;
  }
  const family = WIDENING.find((names) => names.includes(before.name) && names.includes(after.name));
  if (family !== undefined && family.indexOf(before.name) < family.indexOf(after.name) && after.modifiers.length === 0)
    return "rewrite";
  return isHeldByText(before.name, after) || isHeldByNumber(before.name, after) ? "rewrite" : "narrowing";
}

/** What prints the same for every session, and is read again from that. */
const PRINTED =
  /^(?:smallint|integer|bigint|numeric|real|double precision|boolean|uuid|name|jsonb?|inet|cidr|macaddr8?)$/;

const isHeldByText = (before: string, after: ParsedType): boolean =>
  PRINTED.test(before) && isText(after.name) && after.modifiers.length === 0;

/** Digits of the longest value. */
const DIGITS = new Map([
  ["smallint", 5],
  ["integer", 10],
  ["bigint", 19],
]);

/** Floating point numbers that have each value of an integer type. */
const EXACT = new Map([
  ["real", 6],
  ["double precision", 15],
]);

function isHeldByNumber(before: string, { name, modifiers: [precision, scale = 0] }: ParsedType): boolean {
  const digits = DIGITS.get(before);
  if (digits === undefined) return false;
  return name === "numeric" && precision !== undefined ? precision - scale >= digits : digits <= (EXACT.get(name) ?? 0);
}

/** Of one type with other modifiers. */
function grown(before: ParsedType, after: ParsedType): TypeChange {
  if (/^numeric(\[\])*$/.test(before.name)) return growsNumeric(before.modifiers, after.modifiers);
  const isWithin =
    before.modifiers.length > 0 && before.modifiers.every((value, n) => value <= (after.modifiers[n] ?? -1));
  if (after.modifiers.length > 0 && !isWithin) return "narrowing";
  return GROW_FREELY.test(before.name) ? "free" : "rewrite";
}

interface ParsedType {
  name: string;
  modifiers: number[];
}

function parse(type: string): ParsedType {
  const found = /^(.*?)\(([\d,]+)\)(.*)$/.exec(type);
  if (found === null) return { name: type, modifiers: [] };
  return { name: `${found[1]}${found[3]}`, modifiers: (found[2] ?? "").split(",").map(Number) };
}

const isText = (name: string): boolean => name === "text" || name === "character varying";

function growsText(before: ParsedType, after: ParsedType): boolean {
  const [limit] = after.modifiers;
  return limit === undefined || (before.modifiers[0] !== undefined && before.modifiers[0] <= limit);
}

/** More digits before the point are free; another number of digits after it is a rewrite or a loss. */
function growsNumeric(before: number[], after: number[]): TypeChange {
  const [precision, scale = 0] = after;
  if (precision === undefined) return "free";
  const [oldPrecision, oldScale = 0] = before;
  if (oldPrecision === undefined || oldScale > scale || oldPrecision - oldScale > precision - scale) return "narrowing";
  return oldScale === scale ? "free" : "rewrite";
}
