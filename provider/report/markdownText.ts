/**
 * Texts of others within Markdown that GitHub shows: names, messages and SQL end no cell, fence or tag, and
 * call nobody. What a comment says is left to `markdown.ts`.
 */

/** Longer names and messages say no more in a table. */
const LONGEST = 300;
const INVISIBLE = "\u200b";

/** A text as code, in one line. */
export function code(text: string, most = LONGEST): string {
  const line = clipped(oneLine(text), most);
  if (line.trim() === "") return "<code>(empty)</code>";
  // A backslash before a pipe, and a backtick, are read in more than one way within a table.
  return /[`|\\]/.test(line) ? `<code>${withEntities(line)}</code>` : `\`${line}\``;
}

/** A message in one line, without any mark-up, mention or reference of its own. */
export function prose(text: string, most = LONGEST): string {
  return withEntities(clipped(oneLine(text), most))
    .replace(/@(?=[\w-])/g, `@${INVISIBLE}`)
    .replace(/(?<!&)#(?=\d)/g, `#${INVISIBLE}`);
}

/** A text in a fence longer than any that it holds. */
export function fenced(text: string, language: string): string[] {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}${language}`, text.replaceAll("\0", "\ufffd"), fence];
}

/** The beginning of a text where it is too long. */
export function clipped(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Entities are shown as their characters and are no mark-up. */
function withEntities(text: string): string {
  return text.replace(/[&<>|`*~[\]\\$]/g, entity).replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, entity);
}

const entity = (character: string): string => `&#${character.codePointAt(0)};`;

const oneLine = (text: string): string =>
  [...text.replace(/\s*[\r\n\u2028\u2029]\s*/g, " ").toWellFormed()]
    .map((character) => (character < " " || character === "\x7f" ? " " : character))
    .join("");
