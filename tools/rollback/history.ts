/**
 * Which update `rollback last` goes back to, told from the history that Pulumi keeps of a stack. Its files
 * are fetched by `worktree.ts`.
 */
import { z } from "zod";
import { UserError } from "../../provider/core/errors.ts";

const update = z.object({
  kind: z.string(),
  startTime: z.string(),
  endTime: z.string().default(""),
  message: z.string().default(""),
  environment: z.record(z.string(), z.string()).default({}),
  result: z.string(),
  resourceChanges: z.record(z.string(), z.number()).default({}),
});

/** One entry of a stack's history. */
export type Update = z.output<typeof update>;

const RETURN = "rollback to the update of ";

/** Marks an update that goes back to an earlier one. */
export const returnTo = ({ startTime }: Update): string => RETURN + startTime;

/**
 * @param text of `pulumi stack history --json`.
 * @throws {UserError} when it is none.
 */
export function parseHistory(text: string): Update[] {
  try {
    return z.array(update).parse(JSON.parse(text));
  } catch {
    throw new UserError("PS603", "`pulumi stack history --json` gave nothing that this version of pgstrata can read.");
  }
}

export interface Earlier {
  /** What the stack has now, or was about to have. */
  present: Update;
  target: Update;
}

/**
 * The update to go back to: the newest successful one before that whose files the stack has now. An update
 * whose verification fails has no success. One that changed nothing, a destroy and a refresh are not counted
 * as what the stack has; a return counts as the update that it went back to, so that the next one goes
 * further.
 *
 * @param history newest first.
 * @param isSame whether two updates had the same files.
 */
export function findEarlier(
  history: readonly Update[],
  isSame: (one: Update, other: Update) => boolean,
): Earlier | undefined {
  const updates = history.filter(({ kind }) => kind === "update");
  const newest = updates.findIndex((each) => each.result !== "succeeded" || hasChanged(each));
  const present = updates[newest];
  if (present === undefined) return undefined;
  const returnedTo = updates.findIndex((each) => present.message === returnTo(each));
  const target = updates[returnedTo];
  // One that failed on its way back is still to arrive.
  if (target !== undefined && present.result !== "succeeded") return { present, target };
  const position = target ?? present;
  const older = updates.slice((target === undefined ? newest : returnedTo) + 1);
  const earlier = older.find(
    (each) => each.result === "succeeded" && !each.message.startsWith(RETURN) && !isSame(each, position),
  );
  return earlier && { present, target: earlier };
}

const hasChanged = ({ resourceChanges }: Update): boolean =>
  Object.keys(resourceChanges).some((kind) => kind !== "same" && kind !== "read");

/** The commit that an update was made from; undefined outside of git. */
export const commitOf = ({ environment }: Update): string | undefined => environment["git.head"];

/** Whether files differed from that commit. */
export const isDirty = ({ environment }: Update): boolean => environment["git.dirty"] === "true";
