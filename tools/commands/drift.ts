/**
 * `npm run drift -- [--stack <name>] [--json] [-C <folder>]`: how far the databases of a stack are from what
 * its last update left there. Exit code 0 without drift, 2 with some, 1 when it cannot be told. Finding drift
 * is left to `provider/resources/driftReport.ts`.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { type DriftReport, isDrifted, reportDrift } from "../../provider/resources/driftReport.ts";
import { formatDrift } from "../lib/driftText.ts";
import { printReport, runMain } from "../lib/main.ts";
import { CWD_OPTION, projectFolder } from "../lib/projectFolder.ts";
import { exportStack } from "../lib/stackDatabase.ts";
import { parseStackState } from "../lib/stackState.ts";

const USAGE = "npm run drift -- [--stack <name>] [--json] [-C <project folder>]";

const DRIFTED = 2;

await runMain(USAGE, async () => {
  const { stack, json, cwd } = options();
  const { folder, env } = projectFolder(cwd);
  const known = parseStackState(await exportStack({ folder, stack, env }));
  if (known.length === 0) {
    throw new UserError(
      "PS701",
      `The state of the stack${stack === undefined ? "" : ` ${stack}`} holds no layer and no row. Run \`pulumi up\` first, or name another stack with --stack.`,
    );
  }
  const reports: DriftReport[] = [];
  for (const state of known) reports.push(await reportDrift(state, folder));
  const isAny = reports.some(isDrifted);
  printReport(json ? JSON.stringify({ drift: isAny, databases: reports }, null, 2) : formatDrift(reports));
  if (isAny) process.exitCode = DRIFTED;
});

function options(): { stack: string | undefined; json: boolean; cwd: string | undefined } {
  try {
    const { values } = parseArgs({
      options: { stack: { type: "string" }, json: { type: "boolean", default: false }, ...CWD_OPTION },
    });
    return { stack: values.stack, json: values.json, cwd: values.cwd };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
