/**
 * The calls about the credential of a registration: an update rotates it when it is due, and goes on with a
 * rotation that is open. What is due is asked of the target; a run to which nothing is due connects to no
 * service.
 */
import { InputError, UserError } from "../../core/errors.ts";
import {
  type CallContext,
  type DiffResult,
  type Properties,
  type ResourceState,
  type ResourceType,
  UNKNOWN,
} from "../../core/resourceType.ts";
import { equalValues } from "../../core/values.ts";
import type { Change } from "../../guard/guard.ts";
import { askDue, type Due } from "../../rotation/due.ts";
import { noteRows } from "../../verification/runWrites.ts";
import type { Session } from "../session.ts";
import { type CredentialInputs, PROPERTIES, parseCredentialInputs } from "./inputs.ts";

const ID = "credential";
const ROTATIONS = { schema: "platform_private", name: "credential_rotations" };

export function createCredential(session: Session): ResourceType {
  async function due({ registration, rotateEvery }: CredentialInputs): Promise<Due | undefined> {
    return session.database && askDue(await session.database.pool(), registration, rotateEvery);
  }

  async function put(news: Properties, change: Change): Promise<Properties> {
    const { inputs, failures } = parseCredentialInputs(news);
    if (failures.length > 0) throw new InputError(failures);
    const unknown: Properties = { ...news, user: UNKNOWN, rotatedAt: UNKNOWN };
    if (inputs === undefined) return unknown;
    const found = await due(inputs);
    const { preview, report } = change.context;
    if (preview) {
      if (found?.isDue !== true) return found === undefined ? unknown : { ...news, ...outputsOf(found) };
      report.info(found.what);
      session.guard.notePlanned();
      return unknown;
    }
    if (found?.isDue === true) await session.inTurn(() => rotate(inputs, found, change));
    return { ...news, ...outputsOf(await due(inputs)) };
  }

  async function rotate(inputs: CredentialInputs, { begins }: Due, change: Change): Promise<void> {
    const { database, config } = session;
    if (database === undefined)
      throw new UserError("PS602", "the database's URL is not known; give the provider its url");
    const { rotateCredential } = await import("../../rotation/rotateCredential.ts");
    await session.guard.guarded(change, async (beforeChange) => {
      beforeChange();
      const { report, signal } = change.context;
      const { registration: registrationId, grace: graceMs, adminConnectionString } = inputs;
      if (begins) noteRows(session.record, ROTATIONS, 1);
      await rotateCredential(
        { database, config },
        { registrationId, begins, graceMs, adminConnectionString, report, signal },
      );
    });
  }

  return {
    token: "pgstrata:index:Credential",

    async check(_context, _olds, news) {
      return { inputs: news, failures: parseCredentialInputs(news).failures };
    },

    async diff(_context, state, news): Promise<DiffResult> {
      const detailed: DiffResult["detailed"] = {};
      for (const name of PROPERTIES) {
        if (equalValues(state.inputs[name] ?? null, news[name] ?? null)) continue;
        detailed[name] = { kind: name === "registration" ? "update-replace" : "update", inputDiff: true };
      }
      const { inputs } = parseCredentialInputs(news);
      const found = inputs && (await due(inputs));
      if (found?.isDue === true) detailed.rotatedAt = { kind: "update", inputDiff: false };
      return { changed: Object.keys(detailed).length > 0, detailed };
    },

    async create(context: CallContext, news) {
      const outputs = await put(news, { context, operation: "create" });
      return { id: context.preview ? "" : ID, outputs };
    },

    update: (context, _state, news) => put(news, { context, operation: "update" }),

    async read(_context, state): Promise<ResourceState | undefined> {
      if (Object.keys(state.inputs).length > 0) return state;
      throw new UserError("PS601", "a credential cannot be imported; it is made by an update");
    },

    // The users of the service stay: the registration may still have one of them.
    async delete() {},
  };
}

const outputsOf = (found: Due | undefined): Properties => ({
  user: found?.user ?? "",
  rotatedAt: found?.rotatedAt ?? "",
});
