/** Spans of time as people write them. */

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a span looks like, for messages. */
export const DURATION_SHAPE = "a whole number with its unit, such as 30d, 12h, 45m or 10s";

/** Milliseconds of a span such as `30d`; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (UNITS[unit] ?? Number.NaN);
}
