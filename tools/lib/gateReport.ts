/** The report of a stack's gate, as its provider leaves it in a preview. Printing is left to the command. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../provider/core/errors.ts";
import type { GateReport } from "../../provider/gate/report.ts";
import { KINDS, STATUSES } from "../../provider/gate/results.ts";
import { previewAsJson } from "./pulumi.ts";

const result = z.object({
  name: z.string(),
  kind: z.enum(KINDS),
  status: z.enum(STATUSES),
  measured: z.string(),
  expected: z.string(),
  mend: z.string(),
  isStopping: z.boolean(),
  note: z.string(),
});

const report = z.object({
  verdict: z.enum(["GO", "NO-GO"]),
  plan: z.string().optional(),
  results: z.array(result),
  unknown: z.array(z.string()),
});

/**
 * Runs a preview and reads what the gate has said in it, also where the preview was stopped.
 *
 * @throws {UserError} where no gate has said anything.
 */
export async function askGate(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<GateReport> {
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-report-"));
  const file = join(directory, "gate.json");
  try {
    const printed = await previewAsJson(root, stack, { ...env, PGSTRATA_GATE_REPORT: file });
    if (existsSync(file)) return parseGateReport(readFileSync(file, "utf8"));
    throw new UserError("PS707", `The preview of stack ${stack} ended before a gate was asked:\n${errorsIn(printed)}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function parseGateReport(text: string): GateReport {
  const { plan, ...rest } = report.parse(JSON.parse(text));
  return { ...rest, plan };
}

const diagnostics = z.object({
  diagnostics: z.array(z.object({ severity: z.string(), message: z.string() })).default([]),
});

/** The errors that a preview has printed as JSON. */
function errorsIn(printed: string): string {
  const parsed = diagnostics.safeParse(JSON.parse(printed));
  const errors = parsed.data?.diagnostics.flatMap(({ severity, message }) => (severity === "error" ? [message] : []));
  return errors?.length ? errors.join("\n") : "its program declares no gate";
}
