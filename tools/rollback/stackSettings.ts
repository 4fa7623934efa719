/** The settings of a stack for the files of an earlier update: which it had then, with the values of now. */

/** One line of a stack's file at its outer level, with what stands below it. */
interface Block {
  key: string;
  text: string;
}

/**
 * Settings that the earlier files did not have are left out, because their program refuses what it does not
 * know; all others have their present values, as a password may have changed. What encrypts them is of now.
 *
 * @param then text of the stack's file at that commit; undefined where git does not have it.
 * @param now text of the present one.
 */
export function settingsThen(then: string | undefined, now: string): string {
  if (then === undefined) return now;
  const present = blocksOf(now, "");
  const earlier = blocksOf(then, "");
  const known = new Map(settingsOf(present).map(({ key, text }) => [key, text]));
  const settings = settingsOf(earlier).map(({ key, text }) => known.get(key) ?? text);
  return [
    ...present.filter(({ key }) => key !== "config").map(({ text }) => text),
    ...(settings.length === 0 ? [] : [["config:", ...settings].join("\n")]),
    "",
  ].join("\n");
}

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
