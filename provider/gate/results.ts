/**
 * What a check of the gate says, and what becomes of it: trials, overrides, the verdict. What is measured is
 * left to the checks.
 */

/** `INCONCLUSIVE`: it could not be measured, and stops like NO-GO until a person overrides it. */
export const STATUSES = ["PASS", "WARNING", "NO-GO", "INCONCLUSIVE"] as const;
export type Status = (typeof STATUSES)[number];

/**
 * `plan`: what an update needs in any case; stops a preview as well. `run`: what has to hold when an update
 * begins; stops its first change.
 */
export const KINDS = ["plan", "run"] as const;
export type CheckKind = (typeof KINDS)[number];

/** What one check has found. */
export interface CheckResult {
  /** Such as `idle-in-transaction`. */
  name: string;
  kind: CheckKind;
  status: Status;
  /** What was found; never a value of a row. */
  measured: string;
  /** The threshold, or what was expected. */
  expected: string;
  /** The line that mends it. Empty where nothing is to be mended. */
  mend: string;
}

/** One person's word for a check that could not be measured, for one plan and until a date. */
export interface Override {
  who: string;
  why: string;
  /** ISO 8601. */
  until: string;
  /** The digest of the plan that it is for. */
  plan: string;
}

/** A result, and what follows from it. */
export interface DecidedResult extends CheckResult {
  /** Whether nothing may be changed because of it. */
  isStopping: boolean;
  /** Why it does not stop, or why an override does not count; empty without either. */
  note: string;
}

export interface Decisions {
  /** Names of checks that report and stop nothing. */
  trial: readonly string[];
  overrides: Readonly<Record<string, Override>>;
}

/**
 * @param plan digest of the plan at hand; undefined where it is not known, so that no override counts.
 */
export function decide(
  results: readonly CheckResult[],
  { trial, overrides }: Decisions,
  plan: string | undefined,
  now: Date,
): DecidedResult[] {
  return results.map((result) => {
    const isBad = result.status === "NO-GO" || result.status === "INCONCLUSIVE";
    const override = overrides[result.name];
    const notes: string[] = [];
    let isStopping = isBad;
    if (isBad && trial.includes(result.name)) {
      isStopping = false;
      notes.push("a trial: stops nothing");
    }
    if (isBad && override !== undefined) {
      const fault = faultOf(override, result.status, plan, now);
      if (fault === undefined) isStopping = false;
      notes.push(fault ?? `overridden by ${override.who} until ${override.until}: ${override.why}`);
    }
    return { ...result, isStopping, note: notes.join("; ") };
  });
}

/** Why an override does not count. */
function faultOf(override: Override, status: Status, plan: string | undefined, now: Date): string | undefined {
  const begin = `the override by ${override.who} does nothing:`;
  if (status !== "INCONCLUSIVE") return `${begin} only what could not be measured can be overridden`;
  if (new Date(override.until) <= now) return `${begin} it has expired on ${override.until}`;
  if (override.plan === plan) return undefined;
  return `${begin} it is for plan ${override.plan}, and this one is ${plan ?? "not known"}`;
}

/** Overrides of checks that there are none of: most likely misspelt. */
export function unknownNames(results: readonly CheckResult[], { trial, overrides }: Decisions): string[] {
  const known = new Set(results.map(({ name }) => name));
  return [...new Set([...trial, ...Object.keys(overrides)])].filter((name) => !known.has(name));
}

/** A check whose result depends on one condition. */
export function check(
  kind: CheckKind,
  name: string,
  found: { isGood: boolean; otherwise?: Status; measured: string; expected: string; mend: string },
): CheckResult {
  const { isGood, otherwise = "NO-GO", measured, expected, mend } = found;
  return { name, kind, status: isGood ? "PASS" : otherwise, measured, expected, mend: isGood ? "" : mend };
}
