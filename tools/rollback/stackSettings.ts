/** The settings of a stack for the files of an earlier update: those that its program takes, with the values of now. */
import { isAbsolute, resolve } from "node:path";

/** One line of a stack's file at its outer level, with what stands below it. */
interface Block {
  key: string;
  text: string;
}

/**
 * Settings that the earlier program does not know are left out, because it may refuse them; all others have
 * their present values, as a password may have changed. What encrypts them is of now.
 *
 * @param then text of the stack's file at that commit; undefined where git does not have it.
 * @param now text of the present one.
 * @param isKnown whether the earlier program knows a setting, by its key.
 */
export function settingsThen(then: string | undefined, now: string, isKnown: (key: string) => boolean): string {
  if (then === undefined) return now;
  const present = blocksOf(now, "");
  const earlier = blocksOf(then, "");
  const known = new Map(settingsOf(present).map(({ key, text }) => [key, text]));
  const had = settingsOf(earlier);
  const added = settingsOf(present).filter(({ key }) => isKnown(key) && !had.some((each) => each.key === key));
  const settings = [...had.map(({ key, text }) => known.get(key) ?? text), ...added.map(({ text }) => text)];
  return [
    ...present.filter(({ key }) => key !== "config").map(({ text }) => text),
    ...(settings.length === 0 ? [] : [["config:", ...settings].join("\n")]),
    "",
  ].join("\n");
}

/** The keys of the settings in the text of a stack's file. */
export const settingKeys = (text: string): string[] => settingsOf(blocksOf(text, "")).map(({ key }) => key);

/** The same settings with the folder of backups, where it is relative, counted from the project's own folder. */
export const anchored = (text: string, folder: string): string =>
  text.replace(/^( +["']?[\w-]+:backupFolder["']?: +)(["']?)(.+?)\2 *$/m, (line, key: string, _quote, path: string) =>
    isAbsolute(path) ? line : key + JSON.stringify(resolve(folder, path)),
  );

const settingsOf = (blocks: readonly Block[]): Block[] =>
  blocks
    .filter(({ key }) => key === "config")
    .flatMap(({ text }) => blocksOf(text.split("\n").slice(1).join("\n"), "  "));

/** Pulumi writes two spaces a level; comments and empty lines go with what is above them. */
function blocksOf(text: string, indent: string): Block[] {
  const blocks: Block[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const key = line.startsWith(indent)
      ? /^["']?([^\s#"'-][^"']*?)["']?:(\s|$)/.exec(line.slice(indent.length))?.[1]
      : undefined;
    const last = blocks.at(-1);
    if (key !== undefined) blocks.push({ key, text: line });
    else if (last !== undefined) last.text += `\n${line}`;
  }
  return blocks;
}
