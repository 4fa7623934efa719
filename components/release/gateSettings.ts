/**
 * Which settings of a stack are about the gate, and which are part of what a plan's digest stands for. How a
 * setting is read is left to `program/stackConfig.ts`.
 */
import * as z from "zod/mini";
import { boolean, json, text } from "../program/settingForms.ts";

const override = z.strictObject({ who: text, why: text, until: text, plan: text });
const hours = z.string().check(z.regex(/^\d{1,6}$/, "expected a whole number"));

/** Two times of a day that differ, as the gate reads them. */
const WINDOW = /^(?!(.{5})-\1$)([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** Settings about the gate, with their defaults. */
export const GATE_SETTINGS = {
  /** Nothing is changed in a run without a gate. */
  requireGate: z._default(boolean, true),
  /** Maintenance window in UTC, such as 02:00-04:00, over midnight too. */
  window: z.optional(
    z
      .string()
      .check(z.regex(WINDOW, 'expected a window in UTC such as "02:00-04:00", over midnight too: "23:30-01:00"')),
  ),
  /** Why an update runs outside of the window. */
  windowOverride: z.optional(text),
  /** An open incident: no update begins. */
  incident: z.optional(text),
  /** Digest of the one plan that may be carried out. */
  approvedPlan: z.optional(text),
  /** The stack that must have verified the same files before this one. */
  promoteFrom: z.optional(text),
  /** How old that may be, in hours. */
  promoteMaxAgeHours: z.optional(z.pipe(hours, z.transform(Number))),
  /** Checks that report and stop nothing. */
  gateTrial: z._default(z.pipe(z.pipe(z.string(), json), z.array(text, "expected a list of checks")), []),
  /** Overrides of checks that could not be measured: who, why, until and plan, by check. */
  gateOverrides: z._default(z.pipe(z.pipe(z.string(), json), z.record(z.string(), override)), {}),
  /** Limits of the built-in checks, by name. */
  gateThresholds: z._default(z.pipe(z.pipe(z.string(), json), z.record(z.string(), z.number())), {}),
};

type Settings = z.infer<ReturnType<typeof z.object<typeof GATE_SETTINGS>>>;

/** The arguments of a gate that settings say. */
export function gateArgs(settings: Settings) {
  const { requireGate: _, gateTrial: trial, gateOverrides: overrides, gateThresholds: thresholds, ...rest } = settings;
  const { window, windowOverride, incident, approvedPlan, promoteFrom, promoteMaxAgeHours } = rest;
  return {
    ...{ window, windowOverride, incident, approvedPlan, promoteFrom, promoteMaxAgeHours },
    ...{ trial, overrides, thresholds },
  };
}

/**
 * The settings that a plan depends on. Those about the gate are not among them: what pins a digest cannot be
 * part of it.
 */
export function planSettings(settings: Settings & Record<string, unknown>): Record<string, unknown> {
  const isOfGate = (name: string): boolean => Object.hasOwn(GATE_SETTINGS, name);
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => !isOfGate(name) && value !== undefined));
}
