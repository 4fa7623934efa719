/**
 * `npm run deploy -- --stack <name>`: an update with all that comes before and after it, in stages. Exit code
 * 0 where the stack is as the program says afterwards; what it does is left to `deploy/`.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { deploy } from "../deploy/deploy.ts";
import { Interrupts } from "../deploy/interrupts.ts";
import { askForName } from "../deploy/question.ts";
import { runMain } from "../lib/main.ts";
import { CWD_OPTION, projectFolder } from "../lib/projectFolder.ts";

const USAGE = "npm run deploy -- --stack <name> [--yes] [--approved-plan <digest>] [-C <project folder>]";

await runMain(USAGE, async () => {
  const { stack, yes, approvedPlan, cwd } = options();
  const { folder, env } = projectFolder(cwd);
  const interrupts = new Interrupts();
  const { result } = await deploy({
    ...{ folder, env, stack, approvedPlan, interrupts },
    ask: async (question) => yes || askForName(question, stack, interrupts.abort.signal),
    show: (text) => console.log(text),
  });
  if (result !== "DONE" && result !== "NOTHING TO DO") process.exitCode = interrupts.exitCode ?? 1;
  interrupts.close();
});

function options(): { stack: string; yes: boolean; approvedPlan: string | undefined; cwd: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        stack: { type: "string" },
        yes: { type: "boolean", default: false },
        "approved-plan": { type: "string" },
        ...CWD_OPTION,
      },
    });
    const { stack, yes, cwd, "approved-plan": approvedPlan } = values;
    if (stack === undefined) throw new Error("Found no --stack.");
    return { stack, yes, cwd, approvedPlan };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
