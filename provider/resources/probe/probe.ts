/**
 * The calls about a probe: a real connection to a service, in a preview and in an update that would register
 * what was not probed before. A run that changes nothing connects to no service. Where the given string was
 * rotated away, the registered one is probed.
 */
import { InputError, UserError } from "../../core/errors.ts";
import {
  type CallContext,
  type Properties,
  type ResourceState,
  type ResourceType,
  UNKNOWN,
} from "../../core/resourceType.ts";
import { equalValues } from "../../core/values.ts";
import { describeDatabaseError } from "../../database/databaseError.ts";
import { askReplacement } from "../../rotation/replacement.ts";
import { ProbeFailure } from "../../services/failures.ts";
import { probeService } from "../../services/probe.ts";
import type { Session } from "../session.ts";
import { PROBED, type ProbeInputs, parseProbeInputs } from "./inputs.ts";

const ID = "probe";

export function createProbe({ database }: Pick<Session, "database">): ResourceType {
  async function put(context: CallContext, news: Properties): Promise<Properties> {
    const { inputs, failures } = parseProbeInputs(news);
    if (failures.length > 0) throw new InputError(failures);
    const unknown: Properties = { ...news, version: UNKNOWN, latencyMs: UNKNOWN, problem: UNKNOWN, probedAt: UNKNOWN };
    if (inputs === undefined) return unknown;
    const found = await probed({ ...inputs, connectionString: await present(inputs, context) }, context);
    return context.preview ? unknown : { ...news, ...found, probedAt: new Date().toISOString() };
  }

  /** The given string, or the one that a rotation has registered in its place. */
  async function present(
    { connectionString, type, registration }: ProbeInputs,
    { report }: CallContext,
  ): Promise<string> {
    if (database === undefined || registration === undefined) return connectionString;
    const asked = askReplacement(await database.pool(), { ...registration, type }, connectionString);
    const replacement = await asked.catch((error: unknown) => {
      const described = describeDatabaseError(error);
      throw described === undefined ? error : new UserError(described.code, described.message, { cause: error });
    });
    if (replacement === undefined) return connectionString;
    report.info(`${replacement.note}, which is probed`);
    return replacement.connectionString;
  }

  return {
    token: "pgstrata:index:Probe",

    async check(_context, _olds, news) {
      return { inputs: news, failures: parseProbeInputs(news).failures };
    },

    async diff(_context, state, news) {
      const changed = PROBED.filter((name) => !equalValues(state.inputs[name] ?? null, news[name] ?? null));
      const detailed = Object.fromEntries(changed.map((name) => [name, { kind: "update", inputDiff: true } as const]));
      return { changed: changed.length > 0, detailed };
    },

    async create(context, news) {
      return { id: ID, outputs: await put(context, news) };
    },

    update: async (context, _state, news) => put(context, news),

    async read(_context, state): Promise<ResourceState | undefined> {
      if (Object.keys(state.inputs).length > 0) return state;
      throw new UserError("PS601", "a probe cannot be imported; it is made by an update");
    },

    async delete() {},
  };
}

/** A preview writes nothing to a service, not even for a moment. */
async function probed(inputs: ProbeInputs, { preview, report, signal }: CallContext): Promise<Properties> {
  const { mode, registration: _, ...service } = inputs;
  try {
    const { version, latencyMs } = await probeService({
      ...service,
      access: preview ? "read" : service.access,
      signal,
    });
    report.info(`${service.type} ${version ?? "of a version that it does not tell"} answers in ${latencyMs} ms`);
    return { version: version ?? "", latencyMs, problem: "" };
  } catch (error) {
    const failure = userError(error);
    if (mode === "require") throw failure;
    report.warn(`${failure.message} It is registered all the same.`);
    return { version: "", latencyMs: 0, problem: failure.message };
  }
}

function userError(error: unknown): UserError {
  if (error instanceof ProbeFailure) return new UserError(error.code, error.message);
  throw error;
}
