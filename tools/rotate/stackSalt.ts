/**
 * The rotation of a stack's salt as a command: which database it is, the question, the gate, the backup, and
 * what is said. The rotation itself is left to `salt.ts`.
 */
import { UserError } from "../../provider/core/errors.ts";
import { confirm } from "../lib/question.ts";
import { contextOf, decline, type Place, type Say, StackState } from "../rollback/target.ts";
import { declareGate } from "./guarded.ts";
import { type RotatedSalt, rotateSalt } from "./salt.ts";

export interface SaltReport extends RotatedSalt {
  stack: string;
}

/** Undefined where the answer was no. */
export async function rotateStackSalt(
  place: Place,
  { yes }: { yes: boolean },
  say: Say,
): Promise<SaltReport | undefined> {
  const { folder, stack } = place;
  const state = await StackState.read(place);
  const layer = state.registry()?.layer;
  if (layer === undefined)
    throw new UserError("PS701", `The state of the stack ${stack} has no registry. Run \`pulumi up\` first.`);
  const session = state.session(folder, layer, true);
  try {
    say("All secrets of the registry get a new key. Its readers and writers go on meanwhile.");
    if (!yes && !(await confirm(`Rotate the salt of ${session.database?.label}?`, "--yes"))) return decline(say);
    declareGate(session, place);
    const change = { context: contextOf(layer.urn, say), operation: "update" } as const;
    const done = await rotateSalt(session, change);
    const { version, rows, elapsedMs, isResumed } = done;
    const what = isResumed ? "The rotation that was interrupted is ended" : "The salt is rotated";
    say(
      `${what}: ${rows} registrations in ${(elapsedMs / 1000).toFixed(1)} s. All have key version ${version}, and the salt before it is gone.`,
    );
    return { stack, ...done };
  } finally {
    await session.close();
  }
}
