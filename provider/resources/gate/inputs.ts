/** Which inputs a gate takes, their defaults, and what is wrong with them. */
import { z } from "zod";
import type { CheckFailure, Properties, Value } from "../../core/resourceType.ts";
import { UNKNOWN } from "../../core/resourceType.ts";
import { isObject } from "../../core/values.ts";
import { DEFAULT_THRESHOLDS, type GateSettings, type Thresholds } from "../../gate/settings.ts";
import { parseWindow, WINDOW_SHAPE } from "../../gate/window.ts";

/** Used by Check and kept nowhere, so that no difference arises: they change from run to run. */
export const OF_THE_RUN = ["isDryRun", "release", "approvedPlan"] as const;

const names = z.array(z.string().min(1, "expected a name")).default([]);
const text = z.string().min(1, "is empty").optional();
const limit = z.number().min(0, "expected 0 or more");

const override = z.strictObject({
  who: z.string().min(1, "expected who overrides"),
  why: z.string().min(1, "expected a reason"),
  until: z.string().refine((until) => !Number.isNaN(Date.parse(until)), "expected a time as ISO 8601"),
  plan: z.string().min(1, "expected the digest of the plan, as a preview prints it"),
});

const schema = z.strictObject({
  schemas: names,
  extensions: names,
  roles: names,
  createdRoles: names,
  sources: names,
  checks: z.string().default("sql/checks/gate"),
  settings: z.record(z.string(), z.unknown()).default({}),
  window: z
    .string()
    .refine((window) => parseWindow(window) !== undefined, `expected ${WINDOW_SHAPE}`)
    .optional(),
  windowOverride: text,
  incident: text,
  approvedPlan: text,
  promoteFrom: text,
  promoteMaxAgeHours: limit.default(168),
  trial: names,
  overrides: z.record(z.string(), override).default({}),
  thresholds: z
    .partialRecord(z.enum(Object.keys(DEFAULT_THRESHOLDS)), limit, "expected known thresholds with numbers")
    .default({}),
});

const release = z.object({
  desired: z.string(),
  result: z.string(),
  verifiedAt: z.string(),
  commit: z.string().nullable(),
});

export interface GateInputs {
  /** Without those of the run: what the state keeps. */
  kept: Properties;
  isPreview: boolean;
  settings: GateSettings;
}

/**
 * Parses the inputs and finds all faults at once.
 *
 * @param isFirst whether the state has no gate.
 */
export function parseGateInputs(properties: Properties, isFirst: boolean): GateInputs | { failures: CheckFailure[] } {
  const { isDryRun, release: released, ...kept } = properties;
  const given = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== null && value !== undefined));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    return {
      failures: parsed.error.issues.flatMap(({ code, path, message, ...issue }) =>
        code === "unrecognized_keys" && "keys" in issue && path.length === 0
          ? issue.keys.map((name) => fault(name, `unknown property; expected one of ${PROPERTIES.join(", ")}`))
          : [fault(path.join("."), message)],
      ),
    };
  }
  const { thresholds, window, windowOverride, incident, approvedPlan, promoteFrom, ...rest } = parsed.data;
  return {
    kept: Object.fromEntries(Object.entries(given).filter(([name]) => name !== "approvedPlan")),
    isPreview: isDryRun === true,
    settings: {
      ...rest,
      isFirst,
      ...{ window, windowOverride, incident, approvedPlan, promoteFrom },
      settings: settingsOf(given.settings),
      release: releaseOf(released),
      thresholds: thresholdsOf(thresholds),
    },
  };
}

const PROPERTIES = [...new Set([...Object.keys(schema.shape), ...OF_THE_RUN])];

const fault = (property: string, reason: string): CheckFailure => ({ code: "PS601", property, reason });

const settingsOf = (value: Value | undefined): Properties => (isObject(value) ? value : {});

/** What is no release counts as none: the promotion is then refused. */
function releaseOf(value: Value | undefined): GateSettings["release"] {
  if (value === UNKNOWN) return undefined;
  const parsed = release.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

function thresholdsOf(given: Readonly<Record<string, number | undefined>>): Thresholds {
  const of = (name: keyof Thresholds): number => given[name] ?? DEFAULT_THRESHOLDS[name];
  return {
    probes: Math.max(1, Math.floor(of("probes"))),
    latencyMs: of("latencyMs"),
    jitterMs: of("jitterMs"),
    longTransactionSeconds: of("longTransactionSeconds"),
    idleInTransactionSeconds: of("idleInTransactionSeconds"),
    replicationLagSeconds: of("replicationLagSeconds"),
    replicationLagMb: of("replicationLagMb"),
    slotRetainedMb: of("slotRetainedMb"),
    wraparoundAge: of("wraparoundAge"),
    freeDiskMb: of("freeDiskMb"),
    checkTimeoutMs: of("checkTimeoutMs"),
  };
}
