/**
 * The calls about a verification: it looks at the database after the last change of a run, and changes
 * nothing. How checks are run and what a baseline says is left to `verification/`.
 */
import { createHash } from "node:crypto";
import { beside } from "../../core/beside.ts";
import { PartialFailure, UserError } from "../../core/errors.ts";
import {
  type CallContext,
  type Properties,
  type ResourceState,
  type ResourceType,
  UNKNOWN,
} from "../../core/resourceType.ts";
import { timed } from "../../core/timing.ts";
import { stackNameOf } from "../../core/urn.ts";
import type { Database } from "../../database/target.ts";
import { compareBaseline } from "../../verification/baseline.ts";
import { readSections, type Section } from "../../verification/checkFile.ts";
import { type CheckResult, countsOf, verdictOf } from "../../verification/report.ts";
import { verify } from "../../verification/runChecks.ts";
import type { Session } from "../session.ts";
import { commitOf } from "./commit.ts";
import { isOpen, PENDING, verificationDiff } from "./diff.ts";
import { checkedVerificationInputs, parseVerificationInputs, type VerificationInputs } from "./inputs.ts";

const ID = "verification";
/** How many failed checks the message of an update lists; the state has them all. */
const MOST_LISTED = 20;
/** How many resources a message names. */
const MOST_NAMED = 5;

/** Checks after the last change of a run, whose report stays in the state, also where it has failed. */
export function createVerification(session: Session, projectDirectory = session.projectDirectory): ResourceType {
  const sections = ({ checks }: VerificationInputs): Promise<Section[]> =>
    readSections("check", checks, projectDirectory);

  function connected(): Database {
    if (session.database) return session.database;
    throw new UserError("PS602", "the database's URL is not known; give the provider its url");
  }

  async function report(
    inputs: VerificationInputs,
    context: CallContext,
    before: Properties | undefined,
  ): Promise<Properties> {
    const database = connected();
    const checks = await sections(inputs);
    const { config, record } = session;
    // Loaded only where something is verified, which a run without changes does not.
    const { lintChecks } = await import("../../verification/lintChecks.ts");
    const limits = { hasOtherWriters: inputs.otherWriters, slowdownPercent: slowdownLimit(inputs, session) };
    const later = pendingDeletes(context, before);
    const results = await timed("verification", async () => {
      const linting = inputs.lintSchemas.length === 0 ? Promise.resolve([]) : lintChecks(database, inputs.lintSchemas);
      const verifying = () => verify(database, config, checks, context.signal);
      const checked = await beside(later, () => beside(linting, verifying));
      // Times are compared when nothing else runs.
      const compared = await compareBaseline(database, config, projectDirectory, record, limits, context.signal);
      return [...checked, ...(await linting), ...compared];
    });
    const deleted = await later;
    const verdict = verdictOf(results);
    const result = verdict !== "FAIL" && deleted.length > 0 ? PENDING : verdict;
    for (const each of results) if (each.status === "WARNING") context.report.warn(lineOf(each));
    context.report.info(`${result}: ${countsOf(results)}`);
    if (result === PENDING) context.report.warn(pending(deleted));
    return {
      report: results.map((each) => ({ ...each })),
      result,
      verifiedAt: new Date().toISOString(),
      commit: (await commitOf(projectDirectory)) ?? "",
      checksDigest: digestOf(checks),
      resources: [...new Set([...session.record.declared, ...deleted])].sort(),
    };
  }

  /** What the last verification knew and this run has not been asked about. */
  const missingOf = (before: Properties): string[] =>
    knownOf(before).filter((urn) => !session.record.declared.has(urn));

  /** What this update deletes after the verification, or may delete, or has left out. */
  async function pendingDeletes(context: CallContext, before: Properties | undefined): Promise<string[]> {
    const isCertain =
      before !== undefined && missingOf(before).length + session.record.replaced.size === 0 && !isOpen(before.result);
    if (isCertain) return [];
    const { deletedLater } = await import("./deletedLater.ts");
    const noted = before === undefined ? undefined : knownOf(before);
    const { urns, doubt } = await deletedLater(session, noted, context.urn, context.signal);
    if (doubt !== undefined && urns.length > 0) {
      context.report.warn(`whether an update has still to delete ${labels(urns)} is not known: ${doubt}`);
    }
    return urns;
  }

  async function put(news: Properties, context: CallContext, before?: Properties): Promise<Properties> {
    const inputs = checkedVerificationInputs(news);
    if (context.preview) {
      const unknown: Properties = { report: UNKNOWN, result: UNKNOWN, verifiedAt: UNKNOWN, commit: UNKNOWN };
      return { ...news, ...unknown, checksDigest: digestOf(await sections(inputs)), resources: UNKNOWN };
    }
    return session.inTurn(async () => ({ ...news, ...(await report(inputs, context, before)) }));
  }

  /** What an update leaves in the state where it fails. */
  function refuseFailed(outputs: Properties, news: Properties, context: CallContext): Properties {
    if (outputs.result !== "FAIL") return outputs;
    const layers = session.record.writes?.layers ?? new Map<string, string>();
    throw new PartialFailure("PS822", failure(outputs.report, context.urn, layers), { id: ID, inputs: news, outputs });
  }

  return {
    token: "pgstrata:index:Verification",

    async check(_context, _olds, news) {
      const { inputs, failures } = parseVerificationInputs(news);
      if (failures.length === 0) {
        const unreadable = await sections(inputs).then(() => undefined, readFault);
        if (unreadable !== undefined)
          failures.push({ code: unreadable.code, property: "checks", reason: unreadable.message });
      }
      return { inputs: news, failures };
    },

    async diff(_context, state, news) {
      const checks = await sections(checkedVerificationInputs(news));
      const { hasProgram, replaced } = session.record;
      // A refresh asks for the difference as well, and declares nothing.
      const isDeleting = hasProgram === true && missingOf(state.outputs).length + replaced.size > 0;
      return verificationDiff(state, news, digestOf(checks), session.guard.changes, isDeleting);
    },

    async create(context, news) {
      const outputs = await put(news, context);
      return { id: ID, outputs: refuseFailed(outputs, news, context) };
    },

    async update(context, state, news) {
      return refuseFailed(await put(news, context, state.outputs), news, context);
    },

    async read(_context, state): Promise<ResourceState | undefined> {
      if (Object.keys(state.inputs).length > 0) return state;
      throw new UserError("PS601", "a verification cannot be imported; it is made by an update");
    },

    async delete() {},
  };
}

/** The least that holds for what this run has changed. */
function slowdownLimit({ slowdownPercent, layerSlowdownPercent }: VerificationInputs, { record }: Session): number {
  const changed = [...(record.writes?.layers.keys() ?? [])];
  return Math.min(slowdownPercent, ...changed.map((layer) => layerSlowdownPercent.get(layer) ?? slowdownPercent));
}

/** URNs that an earlier verification has noted; none in a state of an earlier version. */
function knownOf({ resources }: Properties): string[] {
  return Array.isArray(resources) ? resources.filter((urn) => typeof urn === "string") : [];
}

/** Such as `Layer shop`. */
function labels(urns: readonly string[]): string {
  const shown = urns.slice(0, MOST_NAMED).map((urn) => urn.replace(/^.*?(\w+)::([^:]*)$/, "$1 $2"));
  const more = urns.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

const pending = (urns: readonly string[]): string =>
  `this update has not come to ${labels(urns)}: it deletes them after the checks, or only targets are updated. So it is not verified yet: ` +
  "run `pulumi up` without --target, which verifies all that is there then. `npm run deploy` does so by itself.";

function readFault(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}

function digestOf(checks: readonly Section[]): string {
  const hash = createHash("sha256");
  for (const { name, roles, writes, statements } of checks)
    hash.update(JSON.stringify([name, roles, writes, statements]));
  return hash.digest("hex");
}

const lineOf = ({ name, measured, expected }: Omit<CheckResult, "status">): string =>
  `${name}: found ${measured}, expected ${expected}`;

function failure(report: Properties[string] | undefined, urn: string, layers: ReadonlyMap<string, string>): string {
  const results = Array.isArray(report) ? report : [];
  const failed = results.flatMap((each) => {
    if (typeof each !== "object" || each === null || Array.isArray(each) || each.status !== "FAIL") return [];
    const { name, measured, expected } = each;
    return [lineOf({ name: String(name), measured: String(measured), expected: String(expected) })];
  });
  const shown = failed.slice(0, MOST_LISTED);
  const more = failed.length > shown.length ? [`  … ${failed.length - shown.length} more: npm run verify`] : [];
  const { stack } = stackNameOf(urn);
  const target = [...layers.values()].at(-1);
  return [
    `${failed.length} of ${results.length} checks FAIL:`,
    ...shown.map((line) => `  ${line}`),
    ...more,
    "The changes of this run stay. Mend what was found and run `pulumi up` again, which verifies anew; or go back to what the last verified update had:",
    `  npm run rollback -- last --stack ${stack}`,
    ...(target === undefined
      ? []
      : ["or take the last layer that was changed off:", `  pulumi destroy --stack ${stack} --target '${target}'`]),
  ].join("\n");
}
