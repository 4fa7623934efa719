/** What a preview of a whole stack announces: one value, printed as text, Markdown or JSON. */
import type { PlanLine } from "./planLine.ts";

export interface StackPlan {
  stack: string;
  /** How many resources of the program change, layers without a statement among them. */
  changes: number;
  /** Layers that change, in the order of the preview. */
  layers: { name: string; lines: PlanLine[] }[];
  rows: PlannedRowChange[];
  /** Other resources of the program that change, such as roles and passwords. */
  resources: { op: string; type: string; name: string }[];
  /** What can be taken out of the `allow` of layers, changed or not: earlier updates have used it. */
  spentApprovals: { layer: string; approvals: string[] }[];
  warnings: Message[];
  /** What stopped the preview; empty for a plan that an update would carry out. */
  errors: Message[];
  /** What the gate found; undefined of a program without one, and where the preview ended before it. */
  gate?: ReportedGate | undefined;
  /** What identifies the plan: `approvedPlan` pins it. */
  digest?: string | undefined;
}

/** The go / no-go as it would be now. */
export interface ReportedGate {
  verdict: "GO" | "NO-GO";
  results: readonly {
    name: string;
    /** `PASS`, `WARNING`, `NO-GO` or `INCONCLUSIVE`. */
    status: string;
    measured: string;
    expected: string;
    /** The line that mends it; empty where nothing is to be mended. */
    mend: string;
    /** Such as who overrides it; empty without that. */
    note: string;
    isStopping: boolean;
  }[];
}

export const VERDICTS = ["GO", "WOULD BE NO-GO NOW", "STOPPED"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What an update would do with the plan if it came now. */
export function verdictOf({ errors, gate }: StackPlan): Verdict {
  if (errors.length > 0) return "STOPPED";
  return gate?.verdict === "NO-GO" ? "WOULD BE NO-GO NOW" : "GO";
}

/** A preview that ended before any plan. */
export const withoutPlan = (stack: string, error: string): StackPlan => ({
  ...{ stack, changes: 0, layers: [], rows: [], resources: [], spentApprovals: [], warnings: [] },
  errors: [{ resource: "", text: error }],
});

/** Warnings that are not shown with a line of the plan. */
export function otherWarnings({ layers, warnings }: StackPlan): Message[] {
  const lines = layers.flatMap((layer) => layer.lines);
  const hazards = new Set(lines.flatMap((line) => line.hazards.map(({ code, message }) => `${code}: ${message}`)));
  return warnings.filter(({ text }) => !hazards.has(text));
}

export interface PlannedRowChange {
  op: PlanLine["op"];
  /** Such as `insert platform.billing_plans id=tier_pro`. */
  title: string;
  /** Columns that are written; never their values. */
  columns: string[];
}

export interface Message {
  /** The resource that it is about, such as `Layer platform`; empty for the whole program. */
  resource: string;
  text: string;
}

/** All SQL of a layer in the order of its execution. */
export function scriptOf(lines: readonly PlanLine[]): string {
  return lines
    .flatMap(({ statements }) => statements)
    .sort((one, other) => one.position - other.position)
    .map(({ sql, searchPath }) => {
      const statement = `${sql.trimEnd()};`;
      return searchPath === undefined ? statement : `-- search_path: ${searchPath}\n${statement}`;
    })
    .join("\n");
}

/** How much a plan does, in one line: `5 to create, 2 to update, 1 blocks`. */
export function totalsOf({ layers, rows, resources }: StackPlan): string {
  const lines = layers.flatMap((layer) => layer.lines);
  const ops = [...lines, ...rows, ...resources].map(({ op }) => op);
  const count = (op: string): number => ops.filter((each) => each === op).length;
  const blocking = lines.filter(({ hazards }) => hazards.some(({ blocks }) => blocks)).length;
  const known = ["create", "update", "delete"];
  const parts = [
    ...known.map((op): [number, string] => [count(op), `to ${op}`]),
    [ops.filter((op) => !known.includes(op)).length, "to replace"] as const,
    [blocking, blocking === 1 ? "blocks" : "block"] as const,
  ];
  const said = parts.flatMap(([n, what]) => (n === 0 ? [] : [`${n} ${what}`]));
  return said.length === 0 ? "no changes" : said.join(", ");
}
