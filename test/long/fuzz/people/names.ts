import type { Draw } from "../draw.ts";

/** Names of columns, most of which need no quotes. */
const COLUMN_NAMES: readonly string[] = [
  "name",
  "status",
  "title",
  "amount",
  "note",
  "code",
  "state",
  "label",
  "starts_at",
  "data",
  "tags",
  "price",
  "value",
  "type",
  "position",
  "text",
  "year",
  "key",
  "date",
  "order",
  "user",
  "Name",
  "with space",
  "größe",
  "a.b",
  "select",
  "end",
  "Case",
  "left",
  "natural",
  "row",
  "window",
  'quo"te',
  "it's",
  "1st",
  "$x",
  "时间",
  "?column?",
  "timestamp",
  "interval",
  "current_date",
  "array",
  "new",
  "old",
  "excluded",
];

const PLAIN = /^[a-z_][a-z0-9_$]*$/;
/** Words that a server takes for something else in at least one place. */
const RESERVED =
  /^(order|user|select|end|case|left|natural|row|window|timestamp|interval|current_date|array|new|old|position|year|value)$/;

export function quoted(name: string): string {
  return PLAIN.test(name) && !RESERVED.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Names that differ from one another, quoted where they must be. */
export function columnNames(draw: Draw, count: number, taken: readonly string[]): string[] {
  const free = COLUMN_NAMES.filter((name) => !taken.includes(quoted(name)));
  const names: string[] = [];
  while (names.length < count && free.length > 0)
    names.push(...free.splice(draw.below(draw.chance(60) ? Math.min(19, free.length) : free.length), 1));
  return names.map(quoted);
}

/** The name of the object `number`: plain, or one that needs quotes. */
export function objectName(draw: Draw, prefix: string, number: number): string {
  const plain = `${prefix}_${number}`;
  return draw.chance(75)
    ? plain
    : quoted(
        draw.one([
          `${prefix} ${number}`,
          `${prefix.toUpperCase()}${number}`,
          `${prefix}.${number}`,
          `${prefix}"${number}`,
          `ä${prefix}${number}`,
        ]),
      );
}
