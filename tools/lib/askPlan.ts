/** The plan of a stack with what its gate says of it. How either is printed is left to the commands. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StackPlan } from "../../provider/report/stackPlan.ts";
import { parseGateReport } from "./gateReport.ts";
import { parsePreview } from "./previewOutput.ts";
import { type PreviewOptions, previewAsJson } from "./pulumi.ts";

/**
 * Runs a preview of the stack.
 *
 * @throws {UserError} where it ended before any plan, with its messages.
 */
export async function askPlan(
  folder: string,
  stack: string,
  env: NodeJS.ProcessEnv,
  options: PreviewOptions = {},
): Promise<StackPlan> {
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-plan-"));
  const file = join(directory, "gate.json");
  try {
    const printed = await previewAsJson(folder, stack, { ...env, PGSTRATA_GATE_REPORT: file }, options);
    const gate = existsSync(file) ? parseGateReport(readFileSync(file, "utf8")) : undefined;
    return { ...parsePreview(printed, stack), gate, digest: gate?.plan };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
