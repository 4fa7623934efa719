/**
 * `npm run rollback -- rls | databases | both | undo | audit | last`: goes back, of one component or to the
 * last update. Exit code 0 when it is done or there is nothing to do, 1 when it failed or a check
 * afterwards says FAIL, 3 when the person said no. How each is done is left to `tools/rollback/`.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { printReport, runMain } from "../lib/main.ts";
import { CWD_OPTION, projectFolder } from "../lib/projectFolder.ts";
import { currentStack } from "../lib/pulumi.ts";
import { rollBackAudit } from "../rollback/audit.ts";
import { rollBack, undo } from "../rollback/components.ts";
import { rollBackToLast } from "../rollback/last.ts";
import { formatLast, formatRollback, formatUndo } from "../rollback/reportText.ts";
import { warningsOf } from "../rollback/stackSettings.ts";
import type { Place, Say } from "../rollback/target.ts";
import { stackFile } from "../rollback/worktree.ts";

const USAGE =
  "npm run rollback -- rls | databases | both | undo | audit | last [--stack <name>] [--yes] [--approve <approval>]… [--json] [-C <project folder>]";

type Action = "rls" | "databases" | "both" | "undo" | "audit" | "last";

const ACTIONS: readonly string[] = ["rls", "databases", "both", "undo", "audit", "last"] satisfies Action[];
const isAction = (text: string | undefined): text is Action => text !== undefined && ACTIONS.includes(text);

await runMain(USAGE, async () => {
  const { action, options } = given();
  const { folder, env } = projectFolder(options.cwd);
  const stack = options.stack ?? (await currentStack(folder, env));
  // Before a change this process may take a backup itself, with the same CLI.
  Object.assign(process.env, env);
  const place: Place = { folder, env, stack, stdout: options.json ? process.stderr : process.stdout };
  // A report in JSON has the standard output for itself.
  const say: Say = (line) => (options.json ? console.error(line) : console.log(line));
  if (action !== "undo") {
    const settings = await readFile(join(folder, stackFile(place)), "utf8").catch(() => "");
    for (const line of warningsOf(settings, new Date())) say(line);
  }
  const { text, report, isWell } = await carryOut(action, place, options, say);
  if (options.json) printReport(JSON.stringify(report ?? null, null, 2));
  else if (report !== undefined) console.log(text);
  if (!isWell) throw new UserError("PS839", "The rollback is done, and a check is not as expected: see FAIL above.");
});

interface Options {
  stack?: string;
  yes: boolean;
  json: boolean;
  approve: string[];
  cwd?: string;
}

interface Outcome {
  text: string;
  report: object | undefined;
  isWell: boolean;
}

async function carryOut(action: Action, place: Place, options: Options, say: Say): Promise<Outcome> {
  if (action === "last") {
    const report = await rollBackToLast(place, options, say);
    return { report, text: report === undefined ? "" : formatLast(report), isWell: true };
  }
  if (action === "undo") {
    const report = await undo(place, options, say);
    const isWell = report === undefined || report.notOpened.length + report.refused.length === 0;
    return { report, text: report === undefined ? "" : formatUndo(report), isWell };
  }
  const report = await (action === "audit"
    ? rollBackAudit(place, options, say)
    : rollBack(place, action, options, say));
  const isWell = report === undefined || report.checks.every(({ status }) => status !== "FAIL");
  return { report, text: report === undefined ? "" : formatRollback(report), isWell };
}

function given(): { action: Action; options: Options } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        stack: { type: "string" },
        yes: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        approve: { type: "string", multiple: true, default: [] },
        ...CWD_OPTION,
      },
    });
    const [action, ...more] = positionals;
    if (!isAction(action) || more.length > 0) throw new Error(`Found ${positionals.join(" ") || "no action"}.`);
    if (action !== "last" && action !== "audit" && values.approve.length > 0)
      throw new Error("Found --approve, which is for `last` and `audit`.");
    return { action, options: values };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
