/** What of a plan is dangerous, and how it is said so that none of it is cut off. */
import { ERROR_CODES } from "../core/errorCodes.ts";
import { code, prose } from "./markdownText.ts";
import type { StackPlan } from "./stackPlan.ts";

/** An object that is lost, or what may happen to one. */
interface Danger {
  /** `PS2…`; empty for what merely goes. */
  code: string;
  /** Whether the update stops for want of an approval. */
  blocks: boolean;
  /** The approval, or the title of what goes. */
  subject: string;
  message: string;
}

/** What needs an approval first, then what has one, then what goes. */
export function dangersOf({ layers, rows, resources }: StackPlan): Danger[] {
  const lines = layers.flatMap((layer) => layer.lines);
  const hazards = lines.flatMap((line) =>
    line.hazards.map(({ code, message, approval, blocks }) => ({ code, message, blocks, subject: approval })),
  );
  const titles = [
    ...lines
      .filter(({ op, hazards }) => op === "delete" && hazards.length === 0)
      .flatMap(({ title, objects }) => (objects.length === 0 ? [title] : objects)),
    ...rows.filter(({ op }) => op === "delete").map(({ title }) => title),
    ...resources.filter(({ op }) => GOING.test(op)).map(({ type, name }) => `${type} ${name}`),
  ];
  return [
    ...hazards.filter(({ blocks }) => blocks),
    ...hazards.filter(({ blocks }) => !blocks),
    ...titles.map((subject) => ({ code: "", message: "", blocks: false, subject })),
  ];
}

const GOING = /^(delete|replace|create-replacement|delete-replaced)/;

const LONGEST_MESSAGE = 1_000;

/** Each in a line of its own. */
export const inFull = (dangers: readonly Danger[]): string[] =>
  dangers.map(({ code: number, blocks, subject, message }) => {
    if (number === "") return `- Goes: ${code(subject)}`;
    // An approval is copied, so it is never shortened.
    const approval = code(subject, Number.POSITIVE_INFINITY);
    return `- ${blocks ? `**Needs approval** ${approval}` : `Approved or harmless to rows, ${approval}`}. ${number}: ${prose(message, LONGEST_MESSAGE)}`;
  });

/**
 * By kind of danger, with the names alone: some ten characters each. Where even these have no room, the
 * number of the others is told.
 */
export function inShort(dangers: readonly Danger[], most: number): string[] {
  const groups = [
    ...Map.groupBy(dangers, ({ code, blocks, subject }) => `${code} ${blocks} ${verbOf(subject)}`).values(),
  ];
  let room = most - groups.reduce((sum, group) => sum + headOf(group).length + FRAME, 0);
  const shares = new Map<readonly Danger[], string[]>();
  for (const [n, group] of groups.toSorted((one, other) => one.length - other.length).entries()) {
    const lines = namesOf(group, Math.max(0, room / (groups.length - n)));
    room -= lines.reduce((sum, line) => sum + line.length + 1, 0);
    shares.set(group, lines);
  }
  return groups.flatMap((group) => ["", headOf(group), "", ...(shares.get(group) ?? [])]);
}

/** Characters around a group's names, at most. */
const FRAME = 120;

function headOf(group: readonly Danger[]): string {
  const [{ code: number, blocks, subject } = { code: "", blocks: false, subject: "" }] = group;
  const count = group.length.toLocaleString("en-US");
  const start = startOf(group);
  const names = start === "" ? ":" : `: ${code(start)} and then`;
  if (number === "") return `**${count} go**${names}`;
  const title = Object.entries(ERROR_CODES).find(([known]) => known === number)?.[1] ?? verbOf(subject);
  return `**${count} ${blocks ? "blocked for want of approval" : "approved, or harmless to rows"}**, ${number} ${prose(title)}${names}`;
}

function namesOf(group: readonly Danger[], most: number): string[] {
  const start = startOf(group).length;
  const names = group.map(({ subject }) => subject.slice(start).replaceAll(/[\s\0`]+/g, " "));
  let used = 0;
  const count = names.findIndex((name) => {
    used += name.length + 1;
    return used > most;
  });
  const shown = count === -1 ? names : names.slice(0, count);
  const others = names.length - shown.length;
  return [
    "```text",
    shown.join("\n"),
    "```",
    ...(others === 0 ? [] : [`and ${others.toLocaleString("en-US")} more that have no room here.`]),
  ];
}

const verbOf = (subject: string): string => /^[^:\s]*[:\s]?/.exec(subject)?.[0] ?? "";

/** What all subjects of a group begin with. */
function startOf([first, ...others]: readonly Danger[]): string {
  let start = first?.subject.slice(0, 200) ?? "";
  for (const { subject } of others) {
    while (!subject.startsWith(start)) start = start.slice(0, -1);
  }
  return others.length === 0 ? "" : start;
}
