/** What stops a plan: hazards that a layer's `allow` does not approve of, rows that a statement refuses. */
import { approvalInLine, nameInApproval } from "../catalog/objectNames.ts";
import type { FactBase } from "../catalog/pgDelta.ts";
import { UserError } from "../core/errors.ts";
import type { Hazard } from "./hazards.ts";
import type { LayerPlan } from "./plan.ts";
import { askRename } from "./renames/suspected.ts";
import { refusalCodes, refusedByRows } from "./rowChecks/report.ts";

/** A layer's approvals of hazards, each with or without a note: `drop-column:app.t.a (2026-11: replaced)`. */
export interface Approvals {
  allow: readonly string[];
  /** Those that an update of this stack has used. They approve of nothing any more. */
  spent: readonly string[];
}

/** Names with brackets are in quotes: the first bracket behind a blank outside of them begins a note. */
const BEFORE_NOTE = /^((?:"(?:[^"]|"")*"|[^"])*?) +\(/s;

/** What an approval approves of, without its note in brackets, which may have brackets of its own. */
export const approvedBy = (approval: string): string => BEFORE_NOTE.exec(approval)?.[1] ?? approval;

/** What may be done, of all that a layer approves of. */
export function approved({ allow, spent }: Approvals): string[] {
  return allow.filter((approval) => !spent.includes(approval)).map(approvedBy);
}

const HAND_OVER = "hand-over:";

/** The object that an approval leaves to another layer; undefined for any other approval. */
export const handOverName = (approval: string): string | undefined =>
  approval.startsWith(HAND_OVER) ? approvedBy(approval).slice(HAND_OVER.length) : undefined;

/** Whether an approval says what becomes of something kept whose name has been taken again. */
export const isAnswerOfKept = (approval: string): boolean => /^(take-back|leave-kept):/.test(approval);

/** The approval that leaves an object to another layer, as one line of a message. */
export const asHandOver = (name: string): string => approvalInLine(HAND_OVER + name);

/** Hazards of a plan, each once: several statements may do the same to one table. */
export function distinctHazards(assessed: LayerPlan["assessed"]): Hazard[] {
  const hazards = assessed.flatMap((each) => each.hazards);
  // What stops decides.
  const first = [...hazards.filter(({ stops }) => !stops), ...hazards.filter(({ stops }) => stops)];
  const byMessage = new Map(first.map((hazard) => [`${hazard.code}: ${hazard.message}`, hazard]));
  return [...new Set(hazards.map(({ code, message }) => byMessage.get(`${code}: ${message}`)))].flatMap(
    (hazard) => hazard ?? [],
  );
}

/**
 * Stops a plan with a hazard that can lose data or block writes and that was not approved, and one that
 * rows do not allow; asks where a rename may be meant. An approval of what does not exist is fine: another
 * stack may have had it.
 *
 * @returns the approvals that the plan uses.
 * @throws {UserError} that names each hazard with its approval, and approvals that may be meant for it.
 */
export function refuseHazards({ assessed, questions, rowChecks }: LayerPlan, approvals: Approvals): string[] {
  const mayDo = new Set(approved(approvals));
  const hazards = distinctHazards(assessed);
  const open = questions.filter(({ approval }) => !mayDo.has(approval));
  const asked = new Set(open.map(({ approval }) => approval));
  const stopping = hazards.filter(({ stops, approval }) => stops && !mayDo.has(approval) && !asked.has(approval));
  const questionsAsked = open.flatMap((each) => askRename({ ...each, approval: asNew(each.approval, approvals) }));
  const question = ["Stopped before the first statement with a question:", ...questionsAsked].join("\n");
  if (open.length > 0 && stopping.length === 0) throw new UserError("PS211", `${question}\nNothing was changed.`);
  // What is asked of the rows of a new column is idle while that may be a renamed one.
  const refused = open.length > 0 ? [] : refusedByRows(rowChecks);
  const rows =
    refused.length === 0 ? [] : ["Stopped before the first statement, because of existing rows:", ...refused];
  const [first = "PS201", ...others] = [
    ...(open.length > 0 ? (["PS211"] as const) : refusalCodes(rowChecks)),
    ...stopping.map(({ code }) => code),
  ];
  if (rows.length > 0 && stopping.length === 0)
    throw new UserError(first, [...rows, "Nothing was changed."].join("\n"), { others });
  if (stopping.length > 0) {
    const missing = [...new Set(stopping.map(({ approval }) => approval))];
    throw new UserError(
      first,
      [
        ...(open.length > 0 ? [question] : []),
        ...rows,
        "Stopped before the first statement, because the plan can lose data or block writes on tables with rows:",
        ...stopping.map(({ code, message }) => `  ${code}: ${message}`),
        ...missing.flatMap((approval) => whyNot(approval, approvals)),
        "Nothing was changed. If this is intended, add to the layer's `allow`:",
        ...missing.map((approval) => `  ${approvalInLine(asNew(approval, approvals))}`),
        ...offeredHandOvers(stopping, approvals),
      ].join("\n"),
      { others },
    );
  }
  const matched = new Set([...hazards, ...questions].map(({ approval }) => approval));
  return approvals.allow.filter((approval) => matched.has(approvedBy(approval)));
}

/** Why the approvals that a layer has do not count for a hazard. */
function whyNot(approval: string, { allow, spent }: Approvals): string[] {
  return allow.flatMap((given) => {
    if (spent.includes(given) && approvedBy(given) === approval)
      return [`  Found \`${given}\`, which an earlier update has used: it no longer approves anything.`];
    return approvedBy(given) !== approval && isNear(approvedBy(given), approval)
      ? [`  Found \`${given}\`, expected \`${approval}\`: is it misspelt?`]
      : [];
  });
}

/** The approval as it has to be written: one that was used before needs a note that tells it apart. */
function asNew(approval: string, { spent }: Approvals): string {
  let written = approval;
  for (let time = 2; spent.includes(written); time++) written = `${approval} (${time})`;
  return written;
}

/**
 * Approvals of a plan that names of nothing that is there, but almost.
 *
 * @param used what the plan uses.
 * @returns pairs of an approval and what may be meant.
 */
export function misspelt(
  { allow, spent }: Approvals,
  used: readonly string[],
  sides: readonly FactBase[],
): [string, string][] {
  const idle = allow.filter((approval) => !used.includes(approval) && !spent.includes(approval));
  if (idle.length === 0) return [];
  const names = new Set(sides.flatMap((side) => side.facts().map(({ id }) => nameInApproval(id))));
  return idle.flatMap((approval): [string, string][] => {
    const [, verb, name] = /^([a-z-]+:)(.*)$/s.exec(approvedBy(approval)) ?? [];
    if (verb === undefined || name === undefined || names.has(name)) return [];
    const near = [...names].find((other) => isNear(other, name));
    return near === undefined ? [] : [[approval, verb + near]];
  });
}

const MOST_SLIPS = 2;

/** A slip in so many letters of a name is one; of shorter names each other letter makes another name. */
const LETTERS_A_SLIP = 4;

/** Whether two approvals or names in them differ in so few letters that one may be meant for the other. */
function isNear(a: string, b: string): boolean {
  const parts = [a, b].map((name) => name.split("."));
  if (parts[0]?.length !== parts[1]?.length) return false;
  const shortest = Math.min(...parts.map((names) => names.at(-1)?.length ?? 0));
  const slips = Math.min(MOST_SLIPS, Math.floor(shortest / LETTERS_A_SLIP));
  return distance(a, b, slips) <= slips;
}

/** How many letters have to be added, left out or changed; more than `most` where that is exceeded. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let costs = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (const [row, letter] of [...a].entries()) {
    const next = [row + 1];
    for (const [n, other] of [...b].entries())
      next.push(Math.min((next[n] ?? 0) + 1, (costs[n + 1] ?? 0) + 1, (costs[n] ?? 0) + (letter === other ? 0 : 1)));
    if (Math.min(...next) > most) return most + 1;
    costs = next;
  }
  return costs.at(-1) ?? 0;
}

/** What leaves a layer's files may have moved to those of another layer. */
function offeredHandOvers(stopping: readonly Hazard[], approvals: Approvals): string[] {
  const names = new Set(stopping.flatMap(({ leaves }) => leaves ?? []));
  if (names.size === 0) return [];
  return [
    "or, where another layer declares it now, leave it in place for that layer:",
    ...[...names].map((name) => `  ${approvalInLine(asNew(HAND_OVER + name, approvals))}`),
  ];
}
