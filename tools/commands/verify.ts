/**
 * `npm run verify -- [--stack <name>] [--json] [--junit <file>]`: the checks that end an update, without one.
 * Exit code 0 unless a check answers FAIL, else 1.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { type StackReport, verifyStack } from "../../provider/resources/verifyStack.ts";
import { hasOwnBackend, processEnvironment } from "../lib/environment.ts";
import { printReport, runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { reportAsJunit, reportAsTable } from "../lib/reportText.ts";
import { exportStack } from "../lib/stackDatabase.ts";
import { parseVerifications } from "../lib/stackState.ts";

const USAGE = "npm run verify -- [--stack <name>] [--json] [--junit <file>]";

await runMain(USAGE, async () => {
  const { stack, json, junit } = options();
  const env = hasOwnBackend(process.env) ? process.env : processEnvironment(projectRoot);
  const known = parseVerifications(await exportStack({ folder: projectRoot, stack, env }));
  if (known.length === 0) {
    throw new UserError(
      "PS701",
      `The state of the stack${stack === undefined ? "" : ` ${stack}`} holds no verification. Run \`pulumi up\` first, or name another stack with --stack.`,
    );
  }
  const reports: StackReport[] = [];
  for (const each of known) reports.push(await verifyStack(each, projectRoot, new AbortController().signal));
  printReport(json ? JSON.stringify({ databases: reports }, null, 2) : reports.map(reportAsTable).join("\n\n"));
  if (junit !== undefined) writeJunit(junit, reports);
  if (reports.some(({ result }) => result === "FAIL")) process.exitCode = 1;
});

function writeJunit(file: string, reports: readonly StackReport[]): void {
  try {
    writeFileSync(file, reportAsJunit(reports));
  } catch (error) {
    throw new UserError(
      "PS703",
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function options(): { stack: string | undefined; json: boolean; junit: string | undefined } {
  try {
    const { values } = parseArgs({
      options: { stack: { type: "string" }, json: { type: "boolean", default: false }, junit: { type: "string" } },
    });
    return { stack: values.stack, json: values.json, junit: values.junit };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
