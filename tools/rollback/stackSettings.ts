/** The settings of a stack for the files of an earlier update: those that they know, as they are now. */
import { isAbsolute, resolve } from "node:path";
import { isWithin, parseWindow } from "../../provider/gate/window.ts";

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
  const present = blocksOf(now, "");
  const earlier = blocksOf(then ?? now, "");
  const known = new Map(settingsOf(present).map((each) => [each.key, each]));
  const had = settingsOf(earlier);
  const added = settingsOf(present).filter(({ key }) => isKnown(key) && !had.some((each) => each.key === key));
  const taken = [...had.map((each) => known.get(each.key) ?? each), ...added];
  const settings = taken.filter(({ key }) => !NOT_ASKED.includes(nameOf(key))).map(({ text }) => text);
  return [
    ...present.filter(({ key }) => key !== "config").map(({ text }) => text),
    ...(settings.length === 0 ? [] : [["config:", ...settings].join("\n")]),
    "",
  ].join("\n");
}

/**
 * Settings that stop an update and no rollback: that is what one does in an incident, and goes back to what
 * this stack itself has verified.
 */
const NOT_ASKED = ["incident", "window", "windowOverride", "approvedPlan", "promoteFrom", "promoteMaxAgeHours"];

const nameOf = (key: string): string => key.split(":").at(-1) ?? "";

/**
 * What an update would be refused for now, and a rollback is not.
 *
 * @param text of the stack's file.
 */
export function warningsOf(text: string, moment: Date): string[] {
  const settings = new Map(
    settingsOf(blocksOf(text, "")).map(({ key, text: line }) => [
      nameOf(key),
      /^ *["']?[^ "']+["']?: +["']?(.*?)["']? *$/m.exec(line)?.[1] ?? "",
    ]),
  );
  const incident = settings.get("incident");
  const window = settings.get("window");
  const parsed = window === undefined ? undefined : parseWindow(window);
  return [
    ...(incident ? [`WARNING: an incident is open (${incident}). It stops updates, and not this rollback.`] : []),
    ...(parsed !== undefined && !isWithin(parsed, moment)
      ? [`WARNING: it is outside of the window ${window} (UTC), which stops updates, and not this rollback.`]
      : []),
  ];
}

/** The keys of the settings in the text of a stack's file. */
export const settingKeys = (text: string): string[] => settingsOf(blocksOf(text, "")).map(({ key }) => key);

/** The same settings; a relative folder of backups is counted from the project's own folder. */
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
