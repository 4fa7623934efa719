/** A gate's report as people and programs read it. */
import { visible } from "../core/visible.ts";
import type { DecidedResult, Status } from "./results.ts";

export interface GateReport {
  /** `GO`, or what a change meets: `NO-GO`. */
  verdict: "GO" | "NO-GO";
  /** Digest of the plan; undefined where it is not known. */
  plan: string | undefined;
  results: readonly DecidedResult[];
  /** Names in `trial` and `overrides` that no check has. */
  unknown: readonly string[];
}

export const isNoGo = (results: readonly DecidedResult[]): boolean => results.some(({ isStopping }) => isStopping);

/**
 * The report without what passes.
 *
 * @param heading the verdict in a sentence.
 */
export function shortReport(heading: string, { plan, results, unknown }: GateReport): string {
  const told = results.filter(({ status, note }) => status !== "PASS" || note !== "");
  const passed = results.length - told.length;
  return [
    heading,
    ...(plan === undefined ? [] : [`plan ${plan}`]),
    ...told.map(line),
    ...(unknown.length > 0 ? [`no check is called ${unknown.join(", ")}`] : []),
    ...(passed > 0 ? [`${passed} of ${results.length} checks pass`] : []),
  ].join("\n  ");
}

/** The whole report. */
export function fullReport({ verdict, plan, results, unknown }: GateReport): string {
  return [
    `Gate: ${verdict}`,
    ...(plan === undefined ? [] : [`Plan: ${plan}`]),
    "",
    ...results.map(line),
    ...(unknown.length > 0 ? ["", `No check is called ${unknown.join(", ")}.`] : []),
  ].join("\n");
}

const WIDTH = Math.max(
  ...(["PASS", "WARNING", "NO-GO", "INCONCLUSIVE"] satisfies Status[]).map(({ length }) => length),
);

function line({ status, name, measured, expected, mend, note }: DecidedResult): string {
  const found = `${status.padEnd(WIDTH)}  ${name}: ${measured}; expected ${expected}`;
  return visible([found, ...(mend === "" ? [] : [`→ ${mend}`]), ...(note === "" ? [] : [`(${note})`])].join(" "));
}
