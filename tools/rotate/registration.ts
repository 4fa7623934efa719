/**
 * The rotation of a registered credential as a command: which registration it is, the question, the gate, the
 * backup, and what is said. The rotation itself is left to `provider/rotation/`.
 */
import { DURATION_SHAPE, parseDuration } from "../../provider/core/duration.ts";
import { UserError } from "../../provider/core/errors.ts";
import { visible } from "../../provider/core/visible.ts";
import { DEFAULT_GRACE, parseCredentialInputs } from "../../provider/resources/credential/inputs.ts";
import { askDue, type Due } from "../../provider/rotation/due.ts";
import { findRegistration } from "../../provider/rotation/records.ts";
import { type RotationResult, rotateCredential } from "../../provider/rotation/rotateCredential.ts";
import { confirm } from "../lib/question.ts";
import { contextOf, decline, type Place, type Say, StackState } from "../rollback/target.ts";
import { declareGate } from "./guarded.ts";

export interface CredentialReport extends RotationResult {
  stack: string;
}

export interface CredentialOptions {
  yes: boolean;
  /** How long the old credential stays valid; undefined for what the program says. */
  grace?: string | undefined;
  /** Signs in to manage the users, in place of what the program says. Secret. */
  admin?: string | undefined;
}

/**
 * @param nameOrId of the registration.
 * @returns undefined where the answer was no.
 */
export async function rotateRegistration(
  place: Place,
  nameOrId: string,
  { yes, grace, admin }: CredentialOptions,
  say: Say,
): Promise<CredentialReport | undefined> {
  const { folder, stack } = place;
  const state = await StackState.read(place);
  const layer = state.registry()?.layer;
  if (layer === undefined)
    throw new UserError("PS701", `The state of the stack ${stack} has no registry. Run \`pulumi up\` first.`);
  const session = state.session(folder, layer, true);
  const { database, config } = session;
  try {
    if (database === undefined) throw new UserError("PS602", "The URL of the database is not known.");
    const registrationId = await findRegistration(await database.pool(), nameOrId);
    const declared = parseCredentialInputs(
      state.credentialOf(registrationId) ?? { registration: registrationId },
    ).inputs;
    const graceMs = graceOf(grace) ?? declared?.grace ?? graceOf(DEFAULT_GRACE) ?? 0;
    const pool = await database.pool();
    const ask = (): Promise<Due | undefined> => askDue(pool, registrationId, undefined, graceOf(grace));
    const seen = await ask();
    const isDue = (due: Due | undefined): boolean => due === undefined || due.begins || due.isDue;
    if (isDue(seen)) say(announcement(nameOrId, seen, graceMs));
    if (isDue(seen) && !yes && !(await confirm(`Rotate the credential of ${nameOrId} in ${database.label}?`, "--yes")))
      return decline(say);
    declareGate(session, place);
    const context = contextOf(layer.urn, say);
    const result = await session.guard.guarded({ context, operation: "update" }, async (beforeChange) => {
      const now = await ask();
      // What another run has rotated since then, while this one has waited for it, is not rotated again.
      const begins = seen === undefined || (seen.begins && now?.rotatedAt === seen.rotatedAt);
      if (isDue(now) && (begins || now?.begins !== true)) beforeChange();
      const adminConnectionString = admin ?? declared?.adminConnectionString;
      const { report, signal } = context;
      return rotateCredential(
        { database, config },
        { registrationId, begins, adminConnectionString, graceMs, isGraceGiven: grace !== undefined, report, signal },
      ).catch((error: unknown) => {
        throw admin === undefined && adminConnectionString !== undefined ? ofLastUpdate(error) : error;
      });
    });
    say(summary(result));
    return { stack, ...result };
  } finally {
    await session.close();
  }
}

/** The admin of the program is what the last update has put into the state. */
export function ofLastUpdate(error: unknown): unknown {
  if (!(error instanceof UserError) || error.code !== "PS873") return error;
  return new UserError(
    error.code,
    `${error.message} This adminConnectionString is that of the last \`pulumi up\`: where the setting was changed since, run \`pulumi up\` first, or give it with --admin.`,
  );
}

/** What a person is told before the question. */
function announcement(name: string, due: Due | undefined, graceMs: number): string {
  if (due?.begins === false) return `A rotation of ${name} is open, and goes on: ${due.what}.`;
  const end =
    graceMs === 0
      ? "The one before is disabled in this run."
      : "The one before stays valid for its grace time and is disabled by the next run after that.";
  return `The credential of ${name} gets a successor with the same rights. ${end}`;
}

function graceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw new UserError("PS706", `--grace: found "${text}", expected ${DURATION_SHAPE}.`);
  return ms;
}

function summary({ step, hasChanged, user, graceEndsAt, ...result }: RotationResult): string {
  const name = visible(result.name);
  if (!hasChanged) return `"${name}": nothing was due. Its user is "${user}".`;
  const rest = graceEndsAt === undefined ? "" : ` Run this again, or \`pulumi up\`, after ${graceEndsAt}.`;
  return `"${name}": the rotation has come to the step "${step}". Its user is "${user}".${rest}`;
}
