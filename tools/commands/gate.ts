/**
 * `npm run gate -- [--stack <name>] [--json]`: whether an update of the stack might begin now, without one.
 * Exit code 0 for GO, 1 for NO-GO. What is measured is left to the provider's gate, in a preview.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { fullReport } from "../../provider/gate/report.ts";
import { hasOwnBackend, processEnvironment } from "../lib/environment.ts";
import { askGate } from "../lib/gateReport.ts";
import { printReport, runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { currentStack } from "../lib/pulumi.ts";

const USAGE = "npm run gate -- [--stack <name>] [--json]";

await runMain(USAGE, async () => {
  const { stack, json } = options();
  const env = hasOwnBackend(process.env) ? process.env : processEnvironment(projectRoot);
  const report = await askGate(projectRoot, stack ?? (await currentStack(projectRoot, env)), env);
  printReport(json ? JSON.stringify(report, null, 2) : fullReport(report));
  if (report.verdict === "NO-GO") process.exitCode = 1;
});

function options(): { stack: string | undefined; json: boolean } {
  try {
    const { values } = parseArgs({ options: { stack: { type: "string" }, json: { type: "boolean", default: false } } });
    return { stack: values.stack, json: values.json };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
